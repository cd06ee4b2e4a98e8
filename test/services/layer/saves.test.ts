import pino from "pino";
import { describe, expect, it } from "vitest";
import { Saves } from "../../../services/layer/saves.ts";
import { CheckpointError } from "../../../shared/run/checkpoint.ts";
import { CheckpointWriteError, Replaced } from "../../../shared/run/checkpoint-store.ts";

const full = new CheckpointWriteError("Cannot write checkpoint: ENOSPC", { durable: false });
const ranAway = new CheckpointError("write", "tensor layer.weights has NaN at 0");
const replaced = new Replaced("checkpoint", "/state");

/** A disk that fails with this, while it does; what is logged and told; and a clock. */
function scene() {
  const said: string[] = [];
  const told: string[] = [];
  const world = { failure: undefined as Error | undefined, now: 0 };
  const save = async () => {
    if (world.failure) throw world.failure;
  };
  const snapshot = async () => {
    await save();
    return "digest";
  };
  const log = pino({ level: "info" }, { write: (line) => void said.push(JSON.parse(line).msg) });
  const event = (name: string, text: string) => void told.push(`${name}: ${text}`);
  const saves = new Saves({ durable: 7, save, snapshot }, { log, now: () => world.now, event });
  return { saves, said, told, world };
}

describe("a layer whose disk fails", () => {
  it("raises the alarm at once, repeats it every five seconds in the log alone, and calls it off once", async () => {
    const { saves, said, told, world } = scene();
    world.failure = full;
    for (world.now = 0; world.now <= 10_000; world.now += 2500)
      expect(await saves.checkpoint()).toBe("failed");
    expect(saves.alarm).toBe(full.message);
    expect(said).toEqual(["checkpoint failed", "checkpoint failed", "checkpoint failed"]);
    world.failure = undefined;
    expect([await saves.checkpoint(), await saves.checkpoint()]).toEqual(["durable", "durable"]);
    expect(saves.alarm).toBeUndefined();
    expect(told).toEqual([`alarm: ${full.message}`, "calm: checkpoints work again"]);
  });

  it("tries again what is of the disk, and nothing else, at the end of the run", async () => {
    const { saves, world } = scene();
    const outcomes = [];
    for (const failure of [full, new TypeError("a bug"), replaced, ranAway, undefined]) {
      world.failure = failure;
      outcomes.push(await saves.final(undefined));
    }
    expect(outcomes).toEqual(["failed", "impossible", "replaced", ranAway, "durable"]);
  });
});

it("raises no alarm where a newer life is in office, nor where the numbers ran away", async () => {
  const { saves, said, told, world } = scene();
  world.failure = replaced;
  expect(await saves.checkpoint()).toBe("replaced");
  world.failure = ranAway;
  expect(await saves.checkpoint()).toBe(ranAway);
  expect([saves.alarm, said, told]).toEqual([undefined, [], []]);
});

it("says of checkpoints that follow each other closely only the first", async () => {
  const { saves, said, world } = scene();
  for (world.now = 0; world.now <= 5000; world.now += 1000) await saves.checkpoint();
  expect(said).toEqual(["checkpoint", "checkpoint"]);
});

it("is asked twice to save at once, and does so once", async () => {
  const { saves } = scene();
  expect(await Promise.all([saves.atOnce(), saves.atOnce()])).toEqual(["durable", undefined]);
  expect(await saves.atOnce()).toBe("durable");
});

it("gives the digest of a snapshot that is durable, and goes on without where it failed", async () => {
  const { saves, said, told, world } = scene();
  const barrier = { kind: "barrier", batch: 8, snapshot: "000000008-00000000", kept: [] } as const;
  const digests: string[] = [];
  expect(await saves.snapshot(barrier, (digest) => digests.push(digest))).toBe("durable");
  world.failure = full;
  expect(await saves.snapshot(barrier, (digest) => digests.push(digest))).toBe("failed");
  expect({ digests, said, told, alarm: saves.alarm }).toEqual({
    digests: ["digest"],
    said: ["snapshot failed"],
    told: [],
    alarm: undefined,
  });
});
