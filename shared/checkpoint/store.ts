import { basename, join } from "node:path";
import {
  type Checkpoint,
  CheckpointError,
  CheckpointMismatch,
  decodeCheckpoint,
  encodeCheckpoint,
  type Identity,
  requireIdentity,
} from "./checkpoint.ts";
import {
  isCheckpoint,
  isCorrupt,
  isTemporary,
  nameOf,
  newestFirst,
  placeOf,
  wantedOf,
} from "./checkpoint-name.ts";
import { type Disk, realDisk } from "./disk.ts";
import { isReplacedIn } from "./incarnation.ts";
import type { Found, Restored, Skipped } from "./restored.ts";
import { moveInto, writeWhole } from "./whole-file.ts";

/** The checkpoint is not durable, unless `durable` says so: then only the tidying after it failed. */
export class CheckpointWriteError extends Error {
  override readonly name = "CheckpointWriteError";
  readonly durable: boolean;

  constructor(message: string, options: ErrorOptions & { readonly durable: boolean }) {
    super(message, options);
    this.durable = options.durable;
  }
}

/** There are checkpoints, and none can be trusted. A fresh start would silently throw the run away. */
export class NoValidCheckpoint extends Error {
  override readonly name = "NoValidCheckpoint";
}

/** A newer life has claimed the folder, and may have read it before this file was there: it does not count. */
export class Replaced extends Error {
  override readonly name = "Replaced";

  constructor(written: string, folder: string) {
    super(`Cannot rely on ${written} in ${folder}: a newer life has claimed the folder`);
  }
}

const KEPT = 3;

/**
 * One layer's checkpoints in one folder: `checkpoint-<incarnation>-<cursor>.safetensors`, the newest few kept.
 * Newest is by incarnation, then by cursor: what an older life writes late never wins.
 */
export class CheckpointStore {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #kept: number;
  #writing: Promise<void> | undefined;
  /** What the last write lay in, for the next one: else megabytes of garbage a second wait to be collected. */
  #room: Buffer | undefined;

  /** `kept`: how many checkpoints are. */
  constructor(folder: string, disk = realDisk, kept = KEPT) {
    this.#folder = folder;
    this.#kept = kept;
    this.#disk = disk;
  }

  get isWriting(): boolean {
    return this.#writing !== undefined;
  }

  /** Resolves, never rejects, when the write under way has ended; at once if there is none. */
  async idle(): Promise<void> {
    await this.#writing?.catch(() => undefined);
  }

  /**
   * Copies the state before it returns, and resolves when the copy is durable. Rejects with CheckpointError if it must
   * not be saved, with CheckpointWriteError if it could not be (what was durable before still is: train on, write the
   * next one) or if another write is under way (wait for `idle`), with Replaced if a newer life is in office. Whoever goes back to a lower cursor needs a new
   * incarnation: within one, a lower cursor is older, and is refused once so many higher ones are there.
   */
  async write(checkpoint: Checkpoint): Promise<void> {
    const name = nameOf(checkpoint);
    if (this.#writing) throw writeError(name, this.#folder, new Error("another write is under way"));
    // Before the first await: the caller goes on training in these very arrays.
    const bytes = encodeCheckpoint(checkpoint, this.#room);
    if (this.#room === undefined || bytes.length > this.#room.length) this.#room = bytes;
    this.#writing = save(this.#disk, this.#folder, checkpoint.incarnation, { name, bytes, kept: this.#kept });
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /**
   * To be called once, at start. `restored` is undefined only if the folder holds no checkpoint that fits. Renames damaged
   * files, removes temporary ones; passes over a file that the disk cannot read (EIO), which it may read again later. Throws CheckpointMismatch on meeting a whole checkpoint of something else (which
   * stays where it is), NoValidCheckpoint if all are damaged, an Error if the folder cannot be read and written.
   */
  async loadNewest(
    expected: Identity,
    fits: (checkpoint: Checkpoint) => boolean = () => true,
  ): Promise<Found> {
    const names = await openFolder(this.#disk, this.#folder, expected.layer);
    const skipped: Skipped[] = [];
    const unfit: Restored[] = [];
    for (const name of newestFirst(names, isCheckpoint)) {
      const path = join(this.#folder, name);
      const found = await read(this.#disk, path, expected);
      if ("checkpoint" in found && fits(found.checkpoint)) return { restored: found, skipped, unfit };
      if ("checkpoint" in found) {
        unfit.push(found);
        continue;
      }
      if (found.isDamaged) await setAside(this.#disk, path);
      skipped.push(found);
    }
    const earlier = names
      .filter(isCorrupt)
      .map((name) => ({ path: name, why: "set aside as damaged before", isDamaged: true }));
    const damaged = [...skipped, ...earlier];
    if (damaged.length > 0 && unfit.length === 0) throw noValid(expected.layer, this.#folder, damaged);
    return { restored: undefined, skipped, unfit };
  }

  /**
   * Writes a checkpoint that a start will find before all others, whatever their cursors: its incarnation must be above
   * theirs, and nobody alive. Those others, the damaged ones too, go into the folder `aside` within this one: first when it
   * is durable, so that there is always one to begin with.
   */
  async goBack(checkpoint: Checkpoint, aside: string): Promise<void> {
    const name = nameOf(checkpoint);
    await writeWhole(this.#disk, this.#folder, name, encodeCheckpoint(checkpoint));
    await this.#disk.syncFolder(this.#folder);
    const others = (await this.#disk.list(this.#folder)).filter(
      (other) => (isCheckpoint(other) || isCorrupt(other)) && other !== name,
    );
    await moveInto(this.#disk, this.#folder, aside, others);
  }
}

/**
 * The cursors of a layer's checkpoints, newest first, each with its newest file. Changes nothing, so that a layer may be
 * alive: then a file may be gone by the time it is read. What an older life wrote beyond the newest one's cursor is left out.
 */
export async function listCheckpoints(
  folder: string,
  disk: Disk = realDisk,
): Promise<ReadonlyMap<number, string>> {
  const files = new Map<number, string>();
  let newest: number | undefined;
  for (const name of newestFirst(await disk.list(folder), isCheckpoint)) {
    const [, cursor] = placeOf(name);
    newest ??= cursor;
    if (cursor <= newest && !files.has(cursor)) files.set(cursor, join(folder, name));
  }
  return files;
}

/**
 * Claims are looked at last: a life that claims later will find this file, and one that claimed before may not have.
 */
async function save(
  disk: Disk,
  folder: string,
  incarnation: number,
  { name, bytes, kept }: { readonly name: string; readonly bytes: Uint8Array; readonly kept: number },
): Promise<void> {
  let names: string[];
  try {
    await writeWhole(disk, folder, name, bytes).catch(async (error) => {
      // Nobody made the folder yet, or somebody took it away; or a newer life did our file, which is found out below.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await disk.makeFolder(folder);
      await writeWhole(disk, folder, name, bytes);
    });
    await disk.syncFolder(folder);
    names = await disk.list(folder);
  } catch (error) {
    throw writeError(name, folder, error);
  }
  if (isReplacedIn(names, incarnation)) throw new Replaced(name, folder);
  await prune(disk, folder, { written: name, names, kept });
}

async function prune(
  disk: Disk,
  folder: string,
  {
    written,
    names,
    kept,
  }: { readonly written: string; readonly names: readonly string[]; readonly kept: number },
): Promise<void> {
  const checkpoints = newestFirst(names, isCheckpoint);
  const wanted = wantedOf(checkpoints, written, kept);
  const old = [
    ...checkpoints.filter((name) => !wanted.includes(name)),
    ...newestFirst(names, isCorrupt).slice(KEPT),
  ];
  try {
    for (const name of old) await disk.remove(join(folder, name));
  } catch (error) {
    const message = `Cannot remove old checkpoints in ${folder}: ${reasonOf(error)} (${written} is durable)`;
    throw new CheckpointWriteError(message, { cause: error, durable: true });
  }
  if (wanted.includes(written)) return;
  throw writeError(
    written,
    folder,
    new Error(`${kept} newer ones are there, the newest is ${checkpoints[0]}`),
  );
}

/** The names in the folder, made if need be, rid of temporary files. */
async function openFolder(disk: Disk, folder: string, layer: number): Promise<string[]> {
  try {
    await disk.makeFolder(folder);
    // Better refused now than at the first checkpoint, minutes of training later.
    await disk.requireAccess(folder);
    const names = await disk.list(folder);
    for (const name of names.filter(isTemporary)) await disk.remove(join(folder, name));
    return names;
  } catch (error) {
    throw new Error(`Cannot restore layer ${layer}: folder ${folder}: ${reasonOf(error)}`, { cause: error });
  }
}

async function read(disk: Disk, path: string, expected: Identity): Promise<Restored | Skipped> {
  try {
    const bytes = await disk.read(path);
    const checkpoint = decodeCheckpoint(bytes);
    requireIdentity(checkpoint, expected);
    const name = nameOf(checkpoint);
    if (basename(path) !== name) return { path, why: `its content belongs in ${name}`, isDamaged: true };
    return { checkpoint, path, ageMs: Math.max(0, Date.now() - (await disk.writtenAt(path))) };
  } catch (error) {
    if (error instanceof CheckpointMismatch) throw new CheckpointMismatch(`${error.message} (${path})`);
    if (error instanceof CheckpointError) return { path, why: error.reason, isDamaged: true };
    if ((error as NodeJS.ErrnoException).code === "EIO")
      return { path, why: reasonOf(error), isDamaged: false };
    // A missing permission, say, is no damage: to fall back to an older file would hide it.
    throw new Error(`Cannot restore layer ${expected.layer} from ${path}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

// Else it would count among the newest three, and push a good one out.
async function setAside(disk: Disk, path: string): Promise<void> {
  try {
    await disk.rename(path, `${path}.corrupt`);
  } catch (error) {
    throw new Error(`Cannot set damaged checkpoint ${path} aside: ${reasonOf(error)}`, { cause: error });
  }
}

function noValid(layer: number, folder: string, damaged: readonly Skipped[]): NoValidCheckpoint {
  const count = damaged.length === 1 ? "1 checkpoint" : `${damaged.length} checkpoints`;
  const reasons = damaged.map(({ path, why }) => `${path.slice(path.lastIndexOf("/") + 1)}: ${why}`);
  return new NoValidCheckpoint(
    `Cannot restore layer ${layer}: ${count} in ${folder}, none valid: ${reasons.join("; ")}`,
  );
}

function writeError(name: string, folder: string, error: unknown): CheckpointWriteError {
  const message = `Cannot write ${name} in ${folder}: ${reasonOf(error)}`;
  return new CheckpointWriteError(message, { cause: error, durable: false });
}

function reasonOf(error: unknown): string {
  if (error instanceof CheckpointError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}
