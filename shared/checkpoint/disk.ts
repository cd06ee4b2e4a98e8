import {
  access,
  constants,
  type FileHandle,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
} from "node:fs/promises";
import { makeFolder, syncFolder } from "./folder.ts";

/**
 * What a process asks of the disk it keeps its state on, so that a simulated one can take its place. Every call may
 * reject with an error that has a `code` (ENOSPC, EIO, …). Nothing is durable but what was synced: the bytes of a file
 * by `sync`, its name by `syncFolder`.
 */
export interface Disk {
  /** Makes the folder and those above it, durably. */
  makeFolder(folder: string): Promise<void>;
  /** Makes the names in the folder durable. */
  syncFolder(folder: string): Promise<void>;
  /** Rejects unless this process may read and write in the folder. */
  requireAccess(folder: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  /** A new, empty file; rejects with EEXIST if the name is taken. */
  create(path: string): Promise<DiskFile>;
  read(path: string): Promise<Uint8Array>;
  /** When the file was written, by the wall clock in milliseconds; for log lines only. */
  writtenAt(path: string): Promise<number>;
  /** Replaces what had that name. */
  rename(from: string, to: string): Promise<void>;
  /** Is content if there is no such file. */
  remove(path: string): Promise<void>;
}

export interface DiskFile {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const realDisk: Disk = {
  makeFolder,
  syncFolder,
  requireAccess: (folder) => access(folder, constants.R_OK | constants.W_OK | constants.X_OK),
  list: (folder) => readdir(folder),
  create: async (path) => {
    const handle = await open(path, "wx");
    return {
      write: (bytes) => writeAll(handle, bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  read: (path) => readFile(path),
  writtenAt: async (path) => (await stat(path)).mtimeMs,
  rename,
  // Not rm, which looks at the file first.
  remove: (path) => unlink(path).catch(unlessMissing),
};

/** In one piece, if the system takes it: writeFile cuts megabytes into pieces, and each costs a turn of a thread. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
