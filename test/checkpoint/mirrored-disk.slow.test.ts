import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { decodeCheckpoint } from "../../shared/checkpoint/checkpoint.ts";
import { type Disk, realDisk } from "../../shared/checkpoint/disk.ts";
import { claimIncarnation, isReplaced } from "../../shared/checkpoint/incarnation.ts";
import { MirroredDisk } from "../../shared/checkpoint/mirrored-disk.ts";
import type { ObjectStore } from "../../shared/checkpoint/object-store.ts";
import { openS3 } from "../../shared/checkpoint/s3-store.ts";
import { CheckpointStore, CheckpointWriteError, NoValidCheckpoint } from "../../shared/checkpoint/store.ts";
import { BUCKET, ObjectServer, type Trouble } from "../support/object-server.ts";
import { seeded } from "../support/seeded.ts";
import { sampleCheckpoint } from "./sample-checkpoint.ts";

const expected = sampleCheckpoint();

describe.each([
  ["that knows conditional writes", true],
  ["that does not", false],
])("a state folder with a store %s", (_, isConditional) => {
  let server: ObjectServer;
  let objects: ObjectStore;
  const folders: string[] = [];

  beforeAll(async () => {
    server = await ObjectServer.start({ isConditional });
    for (const [name, value] of Object.entries(server.environment())) vi.stubEnv(name, value);
  });
  beforeEach(async () => {
    objects = openS3(`s3://${BUCKET}/${randomUUID()}`);
  });
  afterEach(() => {
    Object.assign(server, { trouble: "none", delayMs: 0 });
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server.close();
  });

  /** A machine with an empty disk of its own, and the same store as the others. */
  function node(): { readonly state: string; readonly disk: Disk; readonly store: CheckpointStore } {
    const state = mkdtempSync(join(tmpdir(), "node-"));
    folders.push(state);
    const disk = new MirroredDisk(realDisk, [{ folder: state, store: objects }]);
    return { state, disk, store: new CheckpointStore(state, disk) };
  }

  it("gives each of many claimants at once a number of its own, and one of them the office", async () => {
    for (let round = 0; round < 25; round++) {
      const nodes = Array.from({ length: 4 }, node);
      const numbers = await Promise.all(nodes.map(({ state, disk }) => claimIncarnation(state, disk)));
      expect(new Set(numbers).size).toBe(4);
      const replaced = await Promise.all(
        nodes.map(({ state, disk }, index) => isReplaced(state, numbers[index]!, disk)),
      );
      expect(replaced.filter((isIt) => !isIt)).toHaveLength(1);
      expect(replaced[numbers.indexOf(Math.max(...numbers))]).toBe(false);
    }
  });

  it.each<[Trouble]>([["errors"], ["cuts"]])(
    "gets through %s, and never says durable what is not there",
    async (trouble) => {
      const { state, disk, store } = node();
      const incarnation = await claimIncarnation(state, disk);
      server.trouble = trouble;
      let durable = -1;
      for (let cursor = 0; cursor < 12; cursor++) {
        const isDone = await store.write(sampleCheckpoint({ incarnation, cursor })).then(
          () => true,
          (error: Error) => {
            expect(error).toBeInstanceOf(CheckpointWriteError);
            return (error as CheckpointWriteError).durable;
          },
        );
        if (isDone) durable = cursor;
      }
      server.trouble = "none";
      expect(durable).toBeGreaterThan(-1);
      const { restored } = await node().store.loadNewest(expected);
      expect(restored!.checkpoint.cursor).toBeGreaterThanOrEqual(durable);
    },
  );
});

describe("a state folder whose store is away", () => {
  let server: ObjectServer;
  let state: string;
  let disk: Disk;
  let store: CheckpointStore;
  let objects: ObjectStore;

  beforeEach(async () => {
    server = await ObjectServer.start();
    for (const [name, value] of Object.entries(server.environment())) vi.stubEnv(name, value);
    state = mkdtempSync(join(tmpdir(), "node-"));
    objects = openS3(`s3://${BUCKET}/state`);
    disk = new MirroredDisk(realDisk, [{ folder: state, store: objects }]);
    store = new CheckpointStore(state, disk);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    rmSync(state, { recursive: true });
    await server.close();
  });

  it("is not waited for longer than a few attempts take", { timeout: 60_000 }, async () => {
    server.trouble = "silent";
    const began = performance.now();
    await expect(store.write(sampleCheckpoint({ incarnation: 1, cursor: 0 }))).rejects.toThrow(
      CheckpointWriteError,
    );
    expect(performance.now() - began).toBeLessThan(25_000);
  });

  it("is never restored from a damaged object without a word", async () => {
    const random = seeded(7);
    const good = "checkpoint-000001-000000001.safetensors";
    const newer = "checkpoint-000001-000000002.safetensors";
    for (const cursor of [1, 2]) await store.write(sampleCheckpoint({ incarnation: 1, cursor }));
    const whole = Buffer.from(await objects.get(newer));
    rmSync(state, { recursive: true });
    for (let round = 0; round < 300; round++) {
      await objects.put(newer, damaged(whole, round, random));
      const { restored, skipped } = await store.loadNewest(expected);
      expect(restored!.path).toContain(good);
      expect(skipped).toHaveLength(1);
      await objects.remove(`${newer}.corrupt`);
    }
    await objects.put(good, damaged(whole, 1, random));
    await expect(store.loadNewest(expected)).rejects.toThrow(NoValidCheckpoint);
    // The control: what was not damaged is taken.
    await objects.put(newer, whole);
    expect(await cursorFound()).toBe(2);
    expect(decodeCheckpoint(whole).cursor).toBe(2);
  });

  async function cursorFound(): Promise<number | undefined> {
    return (await store.loadNewest(expected)).restored?.checkpoint.cursor;
  }
});

/** Cut short, or with one bit that is another, or with zeros. */
function damaged(whole: Buffer, round: number, random: () => number): Buffer {
  const at = Math.floor(random() * whole.length);
  if (round % 3 === 0) return whole.subarray(0, at);
  const bytes = Buffer.from(whole);
  if (round % 3 === 1) bytes[at]! ^= 1 << Math.floor(random() * 8);
  else bytes.fill(0, at);
  return round % 3 === 2 && bytes.equals(whole) ? whole.subarray(1) : bytes;
}
