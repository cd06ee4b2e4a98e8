import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OrderFile } from "../../services/layer/order-file.ts";
import { orderPath, readOrder } from "../../shared/record/order-record.ts";

let state: string;
let said: string[];
const log = { warn: (_: object, text: string) => said.push(text) };

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "unlocked-order-"));
  said = [];
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

/** One life of a layer: it applies these batches, with so many targets learnt before each; whether that was written. */
function life(...applied: readonly (readonly [batch: number, learnt: number])[]): boolean[] {
  const order = new OrderFile(state, log);
  const written = applied.map(([batch, learnt]) => order.note(batch, learnt));
  order.close();
  return written;
}

describe("what a layer writes of its order of learning", () => {
  it("is read as it was written, and says nothing of what was not", () => {
    expect(life([0, 0], [1, 0], [2, 2])).toEqual([true, true, true]);
    expect(readOrder(state, 4)).toEqual({ learnt: [0, 0, 2, undefined], again: [] });
  });

  it("goes on in the next life, and marks what that one applied once more", () => {
    life([0, 0], [1, 1], [2, 1], [3, 2]);
    life([1, 0], [2, 2], [3, 3], [4, 4]);
    life([4, 3], [5, 4]);
    expect(readOrder(state, 6)).toEqual({
      learnt: [0, 0, 2, 3, 3, 4],
      again: [[1, 4]],
    });
  });

  it("is as long as the run, however often batches are applied", () => {
    for (let time = 0; time < 50; time++) life([98, 90], [99, 97]);
    expect(statSync(orderPath(state)).size).toBe(400);
  });

  it("is none where there is none", () => {
    expect(readOrder(state, 4)).toBeUndefined();
  });

  it("may be missing from a full disk, which is said once and ends nothing", () => {
    rmSync(state, { recursive: true });
    writeFileSync(state, "no folder");
    expect(life([0, 0], [1, 0], [2, 1])).toEqual([false, false, false]);
    expect(said).toEqual(["cannot write the order of learning: this run cannot be replayed"]);
  });
});
