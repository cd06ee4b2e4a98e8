import { rmSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { decodeCheckpoint } from "../../shared/checkpoint/checkpoint.ts";
import { claimIncarnation, isReplaced } from "../../shared/checkpoint/incarnation.ts";
import {
  type CheckpointStore,
  CheckpointWriteError,
  NoValidCheckpoint,
} from "../../shared/checkpoint/store.ts";
import type { Trouble } from "../support/engines/object-server.ts";
import { seeded } from "../support/seeded.ts";
import { NodesWithStore } from "./nodes-with-store.ts";
import { sampleCheckpoint } from "./sample-checkpoint.ts";

const expected = sampleCheckpoint();

describe.each([
  ["that knows conditional writes", true],
  ["that does not", false],
])("a state folder with a store %s", (_, isConditional) => {
  const nodes = new NodesWithStore(isConditional);

  it("gives each of many claimants at once a number of its own, and one of them the office", async () => {
    for (let round = 0; round < 25; round++) {
      const claimants = Array.from({ length: 4 }, () => nodes.node());
      const numbers = await Promise.all(claimants.map(({ state, disk }) => claimIncarnation(state, disk)));
      expect(new Set(numbers).size).toBe(4);
      const replaced = await Promise.all(
        claimants.map(({ state, disk }, index) => isReplaced(state, numbers[index]!, disk)),
      );
      expect(replaced.filter((isIt) => !isIt)).toHaveLength(1);
      expect(replaced[numbers.indexOf(Math.max(...numbers))]).toBe(false);
    }
  });

  it.each<[Trouble]>([["errors"], ["cuts"]])(
    "gets through %s, and never says durable what is not there",
    async (trouble) => {
      const { state, disk, store } = nodes.node();
      const incarnation = await claimIncarnation(state, disk);
      nodes.server.trouble = trouble;
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
      nodes.server.trouble = "none";
      expect(durable).toBeGreaterThan(-1);
      const { restored } = await nodes.node().store.loadNewest(expected);
      expect(restored!.checkpoint.cursor).toBeGreaterThanOrEqual(durable);
    },
  );
});

describe("a state folder whose store is away", () => {
  const nodes = new NodesWithStore(true);
  let state: string;
  let store: CheckpointStore;

  beforeEach(() => {
    ({ state, store } = nodes.node());
  });

  it("is not waited for longer than a few attempts take", { timeout: 60_000 }, async () => {
    nodes.server.trouble = "silent";
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
    const whole = Buffer.from(await nodes.objects.get(newer));
    rmSync(state, { recursive: true });
    for (let round = 0; round < 300; round++) {
      await nodes.objects.put(newer, damaged(whole, round, random));
      const { restored, skipped } = await store.loadNewest(expected);
      expect(restored!.path).toContain(good);
      expect(skipped).toHaveLength(1);
      await nodes.objects.remove(`${newer}.corrupt`);
    }
    await nodes.objects.put(good, damaged(whole, 1, random));
    await expect(store.loadNewest(expected)).rejects.toThrow(NoValidCheckpoint);
    // The control: what was not damaged is taken.
    await nodes.objects.put(newer, whole);
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
