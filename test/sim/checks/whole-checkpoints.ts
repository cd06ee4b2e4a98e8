import { type Checkpoint, decodeCheckpoint } from "../../../shared/checkpoint/checkpoint.ts";
import { STATE } from "../world/folders.ts";
import type { SimulatedDisk } from "../world/simulated-disk.ts";

/** The names of those that lie in a layer's folder and can be read, oldest first. */
export function wholeOn(disk: SimulatedDisk): string[] {
  const names = disk.list(STATE).filter((name) => name.endsWith(".safetensors"));
  return names.filter((name) => checkpointIn(disk.bytesOf(`${STATE}/${name}`)!)).sort();
}

export function newestOn(disk: SimulatedDisk): Checkpoint | undefined {
  const newest = wholeOn(disk).at(-1);
  return newest === undefined ? undefined : checkpointIn(disk.bytesOf(`${STATE}/${newest}`)!);
}

/** What was found in bytes that lie on a disk, which never change: files are looked at far more often than written. */
const found = new WeakMap<Uint8Array, { readonly checkpoint: Checkpoint | undefined }>();

/** Undefined where they are no whole checkpoint. */
export function checkpointIn(bytes: Uint8Array): Checkpoint | undefined {
  const known = found.get(bytes) ?? { checkpoint: read(bytes) };
  found.set(bytes, known);
  return known.checkpoint;
}

function read(bytes: Uint8Array): Checkpoint | undefined {
  try {
    return decodeCheckpoint(bytes);
  } catch {
    return undefined;
  }
}
