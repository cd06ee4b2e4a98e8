import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CheckpointError, decodeCheckpoint } from "../../shared/checkpoint/checkpoint.ts";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import { CheckpointStore, Replaced } from "../../shared/checkpoint/store.ts";
import { checkpointFolder, expected } from "./checkpoint-folder.ts";
import { filled, sampleCheckpoint } from "./sample-checkpoint.ts";

const folder = checkpointFolder();

/** How many floats it holds; throws if a bit of it is not as it was written. */
async function decodes(path: string): Promise<number> {
  return decodeCheckpoint(await readFile(path)).tensors["layer.w"]!.length;
}

describe("writing", () => {
  test("what was written is restored, with its path and age", async () => {
    await folder.write(3, 40);
    const { restored, skipped } = await folder.store.loadNewest(expected);
    expect(restored?.checkpoint).toEqual(sampleCheckpoint());
    expect(restored?.path).toBe(folder.pathOf(3, 40));
    expect(restored?.ageMs).toBeGreaterThanOrEqual(0);
    expect(restored?.ageMs).toBeLessThan(60_000);
    expect(skipped).toEqual([]);
  });

  test("a folder that was taken away is made again, with those above it", async () => {
    await folder.write(3, 40);
    await rm(folder.path, { recursive: true });
    await folder.write(3, 41);
    expect(await folder.newest()).toEqual([3, 41]);
    folder.store = new CheckpointStore(join(folder.path, "deep", "within"));
    await folder.write(3, 42);
    expect(await folder.newest()).toEqual([3, 42]);
  });

  test("a small one after a large one, and a large one after that, are each what they were", async () => {
    const tensors = (length: number) => ({ tensors: { "layer.w": filled(length, length) } });
    for (const [cursor, length] of [
      [10, 5000],
      [20, 3],
      [30, 6000],
    ] as const) {
      await folder.write(3, cursor, tensors(length));
      const { restored } = await folder.store.loadNewest(expected);
      expect(restored?.checkpoint.tensors).toEqual(tensors(length).tensors);
      expect((await readFile(folder.pathOf(3, cursor))).length).toBeLessThan(4 * length + 2000);
    }
    const sizes = await Promise.all([10, 20, 30].map(async (cursor) => decodes(folder.pathOf(3, cursor))));
    expect(sizes).toEqual([5000, 3, 6000]);
  });

  test("keeps the newest three and nothing else", async () => {
    for (const cursor of [9, 99, 100, 1000, 999]) await folder.write(3, cursor);
    expect((await readdir(folder.path)).sort()).toEqual(
      [folder.pathOf(3, 100), folder.pathOf(3, 999), folder.pathOf(3, 1000)].map((path) =>
        path.slice(folder.path.length + 1),
      ),
    );
  });

  test("a later life is newer, however low its cursor", async () => {
    await folder.write(3, 400);
    await folder.write(3, 600);
    await folder.write(4, 200);
    expect(await folder.newest()).toEqual([4, 200]);
    expect(await readdir(folder.path)).toHaveLength(3);
  });

  test("a cursor below three others cannot be saved, and is told so", async () => {
    for (const cursor of [10, 20, 30]) await folder.write(4, cursor);
    await expect(folder.write(4, 5)).rejects.toThrow(
      /Cannot write .*: 3 newer ones are there, the newest is checkpoint-000004-000000030/,
    );
    expect(await folder.newest()).toEqual([4, 30]);
  });

  test("a life that was replaced may rely on nothing it saves, from the newer one's claim on", async () => {
    expect(await claimIncarnation(folder.path)).toBe(1);
    await folder.write(1, 500);
    expect(await claimIncarnation(folder.path)).toBe(2);
    await expect(folder.write(1, 600)).rejects.toThrow(Replaced);
    await folder.write(2, 510);
    await expect(folder.write(1, 700)).rejects.toThrow(
      /Cannot rely on .*: a newer life has claimed the folder/,
    );
    expect(await folder.newest()).toEqual([2, 510]);
  });

  test("before the first batch there is a checkpoint too", async () => {
    await folder.write(3, -1);
    expect(await folder.newest()).toEqual([3, -1]);
    await folder.write(3, 0);
    expect(await folder.newest()).toEqual([3, 0]);
  });

  test("copies at once: the caller trains on while it writes", async () => {
    const tensors = { "layer.weights": filled(1000, 40) };
    const writing = folder.store.write(sampleCheckpoint({ tensors }));
    tensors["layer.weights"].fill(41);
    await writing;
    const { restored } = await folder.store.loadNewest(expected);
    expect(restored?.checkpoint.tensors).toEqual({ "layer.weights": filled(1000, 40) });
  });

  test("one at a time: a second is refused until the first is done", async () => {
    const first = folder.write(3, 40);
    expect(folder.store.isWriting).toBe(true);
    await expect(folder.write(3, 50)).rejects.toThrow("another write is under way");
    await folder.store.idle();
    expect(folder.store.isWriting).toBe(false);
    await first;
    await folder.write(3, 50);
    expect(await folder.newest()).toEqual([3, 50]);
  });

  test("a state with NaN is not saved, and the next good one is", async () => {
    await folder.write(3, 40);
    const poisoned = { tensors: { "layer.weights": filled(3, Number.NaN) } };
    await expect(folder.write(3, 50, poisoned)).rejects.toThrow(CheckpointError);
    expect(await folder.newest()).toEqual([3, 40]);
    await folder.write(3, 60);
    expect(await folder.newest()).toEqual([3, 60]);
  });

  test("the end of a run replaces the same cursor's checkpoint", async () => {
    await folder.write(3, 40, { batches: 41 });
    await folder.write(3, 40, { batches: 41, finished: true });
    const { restored } = await folder.store.loadNewest(expected);
    expect(restored?.checkpoint.finished).toBe(true);
  });
});
