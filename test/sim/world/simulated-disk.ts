import { basename, dirname } from "node:path";
import type { Disk, DiskFile } from "../../../shared/checkpoint/disk.ts";
import { deferred } from "../../support/deferred.ts";
import type { EventQueue, SimulatedRandom } from "./event-queue.ts";
import type { Life } from "./life.ts";

interface File {
  bytes: Uint8Array;
  /** As of the last sync. */
  synced: Uint8Array;
  /** A sync has failed: the kernel calls its pages clean, and no later sync will write them. */
  isLost: boolean;
}

const NOTHING = new Uint8Array();

/**
 * The disk of one machine. Bytes are durable once their file was synced, names once their folder was; a power cut takes
 * the rest, or a part of it. A killed process loses nothing but what it had not asked for yet.
 */
export class SimulatedDisk {
  readonly #queue: EventQueue;
  readonly #random: SimulatedRandom;
  #names = new Map<string, File>();
  #durableNames = new Map<string, File>();
  /** Changes of names that no sync has made durable, in order. */
  #unsynced: { readonly path: string; readonly file: File | undefined }[] = [];
  #powerCuts = 0;
  isFull = false;
  /** How often a call fails with EIO. */
  failureRate = 0;
  /** Told of every file that gets its name. */
  onRenamed: (path: string, bytes: Uint8Array) => void = () => {};
  /** Told that other files are there than before. */
  onChanged: () => void = () => {};

  constructor(queue: EventQueue, random: SimulatedRandom) {
    this.#queue = queue;
    this.#random = random;
  }

  /** The disk as this process sees it: a dead one is answered no more. */
  seenBy(life: Life): Disk {
    const call = <T>(act: () => T) => this.#call(life, act);
    return {
      makeFolder: () => call(() => undefined),
      syncFolder: (folder) => call(() => this.#syncFolder(folder)),
      requireAccess: () => call(() => undefined),
      list: (folder) => call(() => this.list(folder)),
      create: (path) => call(() => this.#create(life, path)),
      read: (path) => call(() => this.#file(path).bytes),
      writtenAt: () => call(() => this.#queue.now),
      rename: (from, to) => call(() => this.#rename(from, to)),
      remove: (path) => call(() => this.#remove(path)),
    };
  }

  list(folder: string): string[] {
    return [...this.#names.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path));
  }

  bytesOf(path: string): Uint8Array | undefined {
    return this.#names.get(path)?.bytes;
  }

  /** What was not synced is gone, all of it or its end. */
  cutPower(): void {
    this.#powerCuts += 1;
    this.isFull = false;
    const kept = Math.floor(this.#random() * (this.#unsynced.length + 1));
    for (const change of this.#unsynced.slice(0, kept)) apply(this.#durableNames, change);
    this.#unsynced = [];
    this.#names = new Map(this.#durableNames);
    for (const file of new Set(this.#names.values())) {
      if (file.bytes === file.synced) continue;
      file.bytes = this.#random() < 0.5 ? file.synced : this.#tornOf(file);
      file.synced = file.bytes;
    }
    this.onChanged();
  }

  /** One bit of the file is no longer what was written. */
  flipBit(path: string): void {
    const file = this.#file(path);
    const bytes = file.bytes.slice();
    const bit = Math.floor(this.#random() * bytes.length * 8);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    file.bytes = file.synced = bytes;
  }

  /** The first part of it, or all of it with a hole. */
  #tornOf({ bytes }: File): Uint8Array {
    const at = Math.floor(this.#random() * bytes.length);
    if (this.#random() < 0.5) return bytes.slice(0, at);
    return bytes.slice().fill(0, at);
  }

  #call<T>(life: Life, act: () => T): Promise<T> {
    const { promise, resolve, reject } = deferred<T>();
    const powerCuts = this.#powerCuts;
    this.#queue.after(this.#random() * 2, () => {
      if (powerCuts !== this.#powerCuts) return;
      // Whoever was killed while it waited may have had its way or not.
      if (!life.isAlive && this.#random() < 0.5) return;
      try {
        const found = act();
        life.run(() => resolve(found));
      } catch (error) {
        life.run(() => reject(error));
      }
    });
    return promise;
  }

  #create(life: Life, path: string): DiskFile {
    if (this.#names.has(path)) throw failure("EEXIST", path);
    this.#mayFail(path);
    if (this.isFull) throw failure("ENOSPC", path);
    const file: File = { bytes: NOTHING, synced: NOTHING, isLost: false };
    this.#change({ path, file });
    return {
      write: (bytes) => {
        const copy = Uint8Array.from(bytes);
        file.bytes = copy.subarray(0, Math.floor(this.#random() * bytes.length));
        return this.#call(life, () => {
          this.#mayFail(path);
          if (this.isFull) throw failure("ENOSPC", path);
          file.bytes = copy;
        });
      },
      sync: () => this.#call(life, () => this.#sync(file, path)),
      close: () => this.#call(life, () => undefined),
    };
  }

  #sync(file: File, path: string): void {
    if (this.#fails()) {
      file.isLost = true;
      throw failure("EIO", path);
    }
    if (!file.isLost) file.synced = file.bytes;
  }

  #rename(from: string, to: string): void {
    this.#mayFail(from);
    const file = this.#file(from);
    this.#change({ path: to, file });
    this.#change({ path: from, file: undefined });
    this.onRenamed(to, file.bytes);
  }

  #remove(path: string): void {
    this.#mayFail(path);
    if (this.#names.has(path)) this.#change({ path, file: undefined });
  }

  #syncFolder(folder: string): void {
    this.#mayFail(folder);
    for (const change of this.#unsynced)
      if (dirname(change.path) === folder) apply(this.#durableNames, change);
    this.#unsynced = this.#unsynced.filter(({ path }) => dirname(path) !== folder);
  }

  #change(change: { readonly path: string; readonly file: File | undefined }): void {
    apply(this.#names, change);
    this.#unsynced.push(change);
    this.onChanged();
  }

  #file(path: string): File {
    const file = this.#names.get(path);
    if (!file) throw failure("ENOENT", path);
    return file;
  }

  #mayFail(path: string): void {
    if (this.#fails()) throw failure("EIO", path);
  }

  #fails(): boolean {
    return this.failureRate > 0 && this.#random() < this.failureRate;
  }
}

function apply(
  names: Map<string, File>,
  { path, file }: { readonly path: string; readonly file: File | undefined },
): void {
  if (file) names.set(path, file);
  else names.delete(path);
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${path}`), { code });
}
