import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Checkpoint } from "../../shared/checkpoint/checkpoint.ts";
import { CheckpointStore } from "../../shared/checkpoint/store.ts";
import { sampleCheckpoint } from "./sample-checkpoint.ts";

export const expected = sampleCheckpoint();

/** A folder of its own for each test, and the store in it, which a test may replace. */
export class CheckpointFolder {
  path = "";
  store = new CheckpointStore("");

  write(incarnation: number, cursor: number, more: Partial<Checkpoint> = {}): Promise<void> {
    return this.store.write(sampleCheckpoint({ incarnation, cursor, ...more }));
  }

  async newest(): Promise<readonly [number, number] | undefined> {
    const { restored } = await this.store.loadNewest(expected);
    return restored && [restored.checkpoint.incarnation, restored.checkpoint.cursor];
  }

  pathOf(incarnation: number, cursor: number): string {
    const name = `checkpoint-${String(incarnation).padStart(6, "0")}-${String(cursor).padStart(9, "0")}.safetensors`;
    return join(this.path, name);
  }
}

export function checkpointFolder(): CheckpointFolder {
  const folder = new CheckpointFolder();
  beforeEach(async () => {
    folder.path = await mkdtemp(join(tmpdir(), "checkpoints-"));
    folder.store = new CheckpointStore(folder.path);
  });
  afterEach(() => rm(folder.path, { recursive: true }));
  return folder;
}

export async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
}
