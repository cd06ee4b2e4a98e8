import { describe, expect, it } from "vitest";
import { seeded } from "../seeded.ts";
import { type Conditions, type Item, ideal, Lane } from "./lane.ts";

function laneOf(changes: Partial<Conditions>, seed = 1) {
  const conditions = { ...ideal, ...changes };
  const lane = new Lane(() => conditions, seeded(seed));
  return { lane, conditions: conditions as { -readonly [Key in keyof Conditions]: Conditions[Key] } };
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

function zeros(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** Everything that has arrived by then. */
function arrived(lane: Lane, now: number): Item[] {
  const items: Item[] = [];
  for (let item = lane.take(now); item !== undefined; item = lane.take(now)) items.push(item);
  return items;
}

function joined(items: readonly Item[]): number[] {
  return items.flatMap((item) => (typeof item === "string" ? [] : [...item]));
}

describe("a lane", () => {
  it("gives at once where nothing is in the way", () => {
    const { lane } = laneOf({});
    lane.push(bytes(1, 2), 5);
    lane.push("end", 5);
    expect(arrived(lane, 5)).toEqual([bytes(1, 2), "end"]);
  });

  it("gives each byte after the latency, the end as well, and says when", () => {
    const { lane } = laneOf({ latencyMs: 50 });
    lane.push(bytes(1), 0);
    lane.push("end", 10);
    expect(arrived(lane, 49.9)).toEqual([]);
    expect(lane.nextAt).toBe(50);
    expect(arrived(lane, 50)).toEqual([bytes(1)]);
    expect(lane.nextAt).toBe(60);
    expect(arrived(lane, 60)).toEqual(["end"]);
    expect(lane.nextAt).toBeUndefined();
  });

  it("keeps the order whatever the jitter", () => {
    const { lane } = laneOf({ latencyMs: 1, jitterMs: 100 });
    for (let n = 0; n < 50; n++) lane.push(bytes(n), n);
    const order: number[] = [];
    for (let now = 0; now <= 200; now++) order.push(...joined(arrived(lane, now)));
    expect(order).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it("does delay by the jitter, differently by seed", () => {
    const dueOf = (seed: number) => {
      const { lane } = laneOf({ jitterMs: 100 }, seed);
      lane.push(bytes(1), 0);
      lane.take(0);
      return lane.nextAt;
    };
    expect(dueOf(1)).toBeGreaterThan(0);
    expect(dueOf(1)).not.toBe(dueOf(2));
    expect(dueOf(1)).toBe(dueOf(1));
  });

  it("gives no more than the rate of the wire, and no less", () => {
    const { lane } = laneOf({ bytesPerSecond: 1000 });
    lane.push(zeros(500), 0);
    lane.push(zeros(500), 0);
    expect(joined(arrived(lane, 250))).toHaveLength(250);
    expect(joined(arrived(lane, 999))).toHaveLength(740);
    expect(joined(arrived(lane, 1000))).toHaveLength(10);
  });

  it("does not save up what a wire at rest could have carried", () => {
    const { lane } = laneOf({ bytesPerSecond: 1000 });
    lane.push(zeros(10), 0);
    expect(joined(arrived(lane, 5000))).toHaveLength(10);
    lane.push(zeros(100), 5000);
    expect(joined(arrived(lane, 5010))).toHaveLength(10);
  });

  it("lets waiting bytes feel a new rate at once", () => {
    const { lane, conditions } = laneOf({ bytesPerSecond: 1 });
    lane.push(zeros(100), 0);
    expect(arrived(lane, 999)).toEqual([]);
    conditions.bytesPerSecond = Number.POSITIVE_INFINITY;
    expect(joined(arrived(lane, 1000))).toHaveLength(100);
  });

  it("slices, and loses nothing by it", () => {
    const { lane } = laneOf({ sliceBytes: 3 });
    lane.push(bytes(1, 2, 3, 4, 5, 6, 7), 0);
    expect(arrived(lane, 0)).toEqual([bytes(1, 2, 3), bytes(4, 5, 6), bytes(7)]);
  });

  it("holds everything in a black hole, and goes on where it stopped", () => {
    const { lane, conditions } = laneOf({ blackHole: true });
    lane.push(bytes(1), 0);
    lane.push("reset", 0);
    expect(arrived(lane, 1e9)).toEqual([]);
    expect(lane.nextAt).toBeUndefined();
    expect(lane.bytes).toBe(1);
    conditions.blackHole = false;
    expect(arrived(lane, 1e9)).toEqual([bytes(1), "reset"]);
    expect(lane.bytes).toBe(0);
  });

  it("resets after exactly so many bytes, in the middle of a chunk or at its end", () => {
    for (const chunks of [[bytes(1, 2, 3, 4)], [bytes(1, 2), bytes(3)], [bytes(1), bytes(2, 3, 4)]]) {
      const { lane } = laneOf({ resetAfterBytes: 3 });
      for (const chunk of chunks) lane.push(chunk, 0);
      lane.push(bytes(9), 0);
      const items = arrived(lane, 0);
      expect(joined(items)).toEqual([1, 2, 3]);
      expect(items.at(-1)).toBe("reset");
    }
  });

  it("flips one bit in as many bytes as it should, the same ones however they are chunked", () => {
    const corrupted = (chunkBytes: number, seed: number) => {
      const { lane } = laneOf({ corruptPerByte: 0.01 }, seed);
      for (let n = 0; n < 100_000; n += chunkBytes) lane.push(zeros(chunkBytes), 0);
      return joined(arrived(lane, 0));
    };
    const whole = corrupted(100_000, 7);
    const hit = whole.filter((byte) => byte !== 0);
    expect(hit.length).toBeGreaterThan(800);
    expect(hit.length).toBeLessThan(1200);
    expect(hit.every((byte) => Number.isInteger(Math.log2(byte)))).toBe(true);
    expect(corrupted(1000, 7)).toEqual(whole);
    expect(corrupted(1000, 8)).not.toEqual(whole);
  });
});
