import { randomBytes } from "node:crypto";
import { basename, dirname, relative, resolve, sep } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Disk, DiskFile } from "./disk.ts";
import type { ObjectStore } from "./object-store.ts";

/** A folder of this machine, and the store that everything in it goes to as well. */
export interface Home {
  readonly folder: string;
  readonly store: ObjectStore;
}

/** Where a path is in a store. */
interface Place {
  readonly store: ObjectStore;
  readonly key: string;
}

/** A writer that wants a name leaves its mark first, behind this. */
const MARK = ".by-";
const MOST_PAUSE_MS = 200;

/**
 * A disk whose files outlive the machine. First on the local disk, then in the store, and only then done: what is durable has
 * been acknowledged by the store. What the store has is what counts; the local disk adds what never got there. So two nodes
 * that share a store see each other's claims as two processes with one folder do.
 */
export class MirroredDisk implements Disk {
  readonly #local: Disk;
  readonly #homes: readonly Home[];
  /** Written beside its name and not yet called by it: the bytes of each path. */
  readonly #unsent = new Map<string, Uint8Array>();
  /** In each folder, the newest file that the store did not take. */
  readonly #stranded = new Map<string, string>();
  /** Keys of marks, as they were listed last. */
  readonly #marks = new Map<string, readonly string[]>();

  constructor(local: Disk, homes: readonly Home[]) {
    this.#local = local;
    // Of two folders, one in the other, the inner one counts.
    this.#homes = homes
      .map(({ folder, store }) => ({ folder: resolve(folder), store }))
      .sort((one, other) => other.folder.length - one.folder.length);
  }

  makeFolder(folder: string): Promise<void> {
    return this.#local.makeFolder(folder);
  }

  syncFolder(folder: string): Promise<void> {
    return this.#local.syncFolder(folder);
  }

  requireAccess(folder: string): Promise<void> {
    return this.#local.requireAccess(folder);
  }

  async list(folder: string): Promise<string[]> {
    const place = this.#placeOf(folder);
    if (!place) return this.#local.list(folder);
    const listed = await place.store.list(place.key);
    this.#marks.set(
      resolve(folder),
      listed.filter((name) => name.includes(MARK)),
    );
    const local = await this.#local.list(folder).catch(ifMissing((): string[] => []));
    // A name that is wanted is as good as taken.
    return [...new Set([...listed.map((name) => name.split(MARK)[0]!), ...local])];
  }

  async create(path: string): Promise<DiskFile> {
    const place = this.#placeOf(path);
    if (!place) return this.#local.create(path);
    if (isTemporary(path)) return this.#createTemporary(path);
    await this.#claim(place);
    const file = await this.#local.create(path);
    const write = async (bytes: Uint8Array) => {
      await file.write(bytes);
      await place.store.put(place.key, bytes);
    };
    return { write, sync: () => file.sync(), close: () => file.close() };
  }

  async read(path: string): Promise<Uint8Array> {
    const place = this.#placeOf(path);
    if (!place) return this.#local.read(path);
    return place.store.get(place.key).catch(ifMissing(() => this.#local.read(path)));
  }

  async writtenAt(path: string): Promise<number> {
    const place = this.#placeOf(path);
    if (!place) return this.#local.writtenAt(path);
    return this.#local.writtenAt(path).catch(ifMissing(() => place.store.writtenAt(place.key)));
  }

  async rename(from: string, to: string): Promise<void> {
    const place = this.#placeOf(to);
    const bytes = this.#unsent.get(from);
    if (!place) return this.#local.rename(from, to);
    if (bytes === undefined) return this.#move(from, to, place);
    this.#unsent.delete(from);
    await this.#local.rename(from, to);
    await this.#send(to, place, bytes);
  }

  async remove(path: string): Promise<void> {
    this.#unsent.delete(path);
    const place = this.#placeOf(path);
    await this.#local.remove(path);
    if (!place || isTemporary(path)) return;
    await place.store.remove(place.key);
    const marks = this.#marks.get(dirname(resolve(path))) ?? [];
    const folder = place.key.slice(0, -basename(path).length);
    for (const mark of marks.filter((each) => each.startsWith(`${basename(path)}${MARK}`)))
      await place.store.remove(`${folder}${mark}`);
  }

  #placeOf(path: string): Place | undefined {
    const whole = resolve(path);
    const home = this.#homes.find(({ folder }) => whole === folder || whole.startsWith(folder + sep));
    return home && { store: home.store, key: relative(home.folder, whole).split(sep).join("/") };
  }

  async #createTemporary(path: string): Promise<DiskFile> {
    const file = await this.#local.create(path);
    const write = async (bytes: Uint8Array) => {
      await file.write(bytes);
      const before = this.#unsent.get(path);
      this.#unsent.set(path, before ? Buffer.concat([before, bytes]) : bytes);
    };
    return { write, sync: () => file.sync(), close: () => file.close() };
  }

  async #send(path: string, { store, key }: Place, bytes: Uint8Array): Promise<void> {
    const folder = dirname(path);
    try {
      await store.put(key, bytes);
      this.#stranded.delete(folder);
    } catch (error) {
      // Newest wins: while the store is away, one a folder is enough.
      const before = this.#stranded.get(folder);
      this.#stranded.set(folder, path);
      if (before !== undefined && before !== path) await this.#local.remove(before).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Makes the object unless it is there; rejects with EEXIST where it is, or somebody else wants it too. Needs nothing of the
   * store but that a listing shows what was acknowledged before it: of two, the one that lists later sees the other's mark.
   */
  async #claim({ store, key }: Place): Promise<void> {
    const folder = key.slice(0, Math.max(0, key.lastIndexOf("/")));
    const name = key.slice(folder === "" ? 0 : folder.length + 1);
    const mark = `${name}${MARK}${randomBytes(8).toString("hex")}`;
    const markKey = folder === "" ? mark : `${folder}/${mark}`;
    await store.put(markKey, Buffer.alloc(0));
    try {
      const others = (await store.list(folder)).filter((each) => each !== mark);
      const isWanted = others.some((each) => each === name || each.startsWith(`${name}${MARK}`));
      if (!isWanted && (await store.create(key, Buffer.alloc(0)))) return;
    } finally {
      // Should it stay, the name counts as taken, which it nearly was.
      await store.remove(markKey).catch(() => undefined);
    }
    // Else two that want the same would meet again at the next.
    await pause(Math.random() * MOST_PAUSE_MS);
    throw Object.assign(new Error(`${name} is taken in ${store.name}`), { code: "EEXIST" });
  }

  /** What has its name already, under another. */
  async #move(from: string, to: string, place: Place): Promise<void> {
    const source = this.#placeOf(from);
    const isLocal = await this.#local.rename(from, to).then(
      () => true,
      ifMissing(() => false),
    );
    if (!source) return;
    const bytes = await source.store.get(source.key).catch(ifMissing(() => undefined));
    if (bytes === undefined) {
      if (!isLocal) throw Object.assign(new Error(`${from} is not there`), { code: "ENOENT" });
      return;
    }
    await place.store.put(place.key, bytes);
    await source.store.remove(source.key);
  }
}

function isTemporary(path: string): boolean {
  return path.endsWith(".tmp");
}

function ifMissing<T>(then: () => T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== "ENOENT") throw error;
    return then();
  };
}
