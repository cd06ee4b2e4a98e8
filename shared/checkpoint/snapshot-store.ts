import { join } from "node:path";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, statedDigest } from "./checkpoint.ts";
import { type Disk, realDisk } from "./disk.ts";
import { isReplacedIn } from "./incarnation.ts";
import { CheckpointWriteError, Replaced } from "./store.ts";
import { writeWhole } from "./whole-file.ts";

/** Beside a layer's checkpoints: what it was at the barriers of its run. */
export const SNAPSHOTS = "snapshots";
export const SNAPSHOT_ENDING = ".safetensors";

/**
 * One layer's share of the snapshots of its network, `snapshots/<name>.safetensors` in the folder of its state. They are
 * written like checkpoints, and are no checkpoints: nobody restores one unless told to.
 */
export class SnapshotStore {
  readonly #state: string;
  readonly #disk: Disk;
  #isWriting = false;

  /** `state`: the folder of the layer's checkpoints and claims. */
  constructor(state: string, disk = realDisk) {
    this.#state = state;
    this.#disk = disk;
  }

  get folder(): string {
    return join(this.#state, SNAPSHOTS);
  }

  /**
   * Copies the state before it returns; its digest, when the copy is durable. Then all others go but those `kept`: so there
   * are never more than these, and one. Rejects as CheckpointStore.write does, also while another is being written.
   */
  async write(name: string, checkpoint: Checkpoint, kept: readonly string[]): Promise<string> {
    if (this.#isWriting) throw failed(name, this.folder, new Error("another one is under way"));
    const bytes = encodeCheckpoint(checkpoint);
    this.#isWriting = true;
    try {
      await this.#save(`${name}${SNAPSHOT_ENDING}`, bytes, checkpoint.incarnation, kept);
    } finally {
      this.#isWriting = false;
    }
    return statedDigest(bytes);
  }

  async #save(file: string, bytes: Uint8Array, incarnation: number, kept: readonly string[]): Promise<void> {
    const wanted = new Set([file, ...kept.map((name) => `${name}${SNAPSHOT_ENDING}`)]);
    const [disk, folder] = [this.#disk, this.folder];
    let before: string[];
    let claims: string[];
    try {
      await disk.makeFolder(folder);
      // Before the claims are looked at: so nothing is among them that a newer life saved without being noticed.
      before = await disk.list(folder);
      await writeWhole(disk, folder, file, bytes);
      await disk.syncFolder(folder);
      claims = await disk.list(this.#state);
    } catch (error) {
      throw failed(file, folder, error);
    }
    if (isReplacedIn(claims, incarnation)) throw new Replaced(file, folder);
    // One that cannot be removed now is at the next barrier.
    for (const name of before.filter((name) => !wanted.has(name)))
      await disk.remove(join(folder, name)).catch(() => undefined);
  }

  /** Throws CheckpointError or CheckpointMismatch, or what the disk says, unless there is a whole one of this name. */
  async read(name: string): Promise<{ readonly checkpoint: Checkpoint; readonly digest: string }> {
    const bytes = await this.#disk.read(join(this.folder, `${name}${SNAPSHOT_ENDING}`));
    return { checkpoint: decodeCheckpoint(bytes), digest: statedDigest(bytes) };
  }
}

function failed(name: string, folder: string, error: unknown): CheckpointWriteError {
  const message = `Cannot write snapshot ${name} in ${folder}: ${(error as Error).message}`;
  return new CheckpointWriteError(message, { cause: error, durable: false });
}
