import type { Logger } from "pino";
import { expect, it } from "vitest";
import { Saver } from "../../../services/layer/saver.ts";
import { CheckpointError } from "../../../shared/checkpoint/checkpoint.ts";
import { CheckpointWriteError, Replaced } from "../../../shared/checkpoint/store.ts";

const full = new CheckpointWriteError("the disk is full", { durable: false });

/** A life that saves; `saves` says what becomes of each. */
function fixture(...saves: (Error | "works")[]) {
  return savingEvery(0, ...saves);
}

/** One that saves again after so long at the earliest. */
function savingEvery(leastMs: number, ...saves: (Error | "works")[]) {
  const happened: string[] = [];
  const clock = { ms: 0 };
  const life = { isRunning: true };
  const later: (() => void)[] = [];
  const say = (_: unknown, line: string) => happened.push(line);
  const lineage = {
    durable: 9,
    isSaving: false,
    saves: 0,
    async save() {
      lineage.saves += 1;
      const outcome = saves.shift() ?? "works";
      if (outcome instanceof Error) throw outcome;
    },
    snapshot: async () => "digest",
  };
  const saver = new Saver(
    lineage,
    {
      log: { debug: say, info: say, warn: say, error: say } as unknown as Logger,
      now: () => clock.ms,
      timers: { after: (_, run) => void later.push(run) },
      event: (name) => happened.push(`event ${name}`),
      get isStopping() {
        return !life.isRunning;
      },
      mustEnd: async (error) => void happened.push(`must end: ${error.name}`),
      end: async (_, message) => void happened.push(message),
    },
    leastMs,
  );
  const saveFinal = () =>
    saver.saveFinal(
      () => undefined,
      () => happened.push("durable"),
    );
  return { saver, happened, clock, life, later, lineage, saveFinal };
}

it("spares a store: a checkpoint soon after another is left out, and asked for is saved all the same", async () => {
  const { saver, lineage, clock } = savingEvery(2000);
  const over: number[] = [];
  for (const ms of [0, 1999, 2000, 2500]) {
    clock.ms = ms;
    saver.checkpoint(() => over.push(ms));
    await new Promise(setImmediate);
  }
  expect(over).toEqual([0, 1999, 2000, 2500]);
  expect(lineage.saves).toBe(2);
  await saver.saveNow();
  expect(lineage.saves).toBe(3);
});

it("saves when it is time, unless a save is under way, and says when that is over, works or not", async () => {
  const { saver, lineage } = fixture("works", full);
  const over: number[] = [];
  for (const time of [1, 2]) {
    saver.checkpoint(() => over.push(time));
    expect([lineage.saves, over]).toEqual([time, over.slice(0, time - 1)]);
    await new Promise(setImmediate);
  }
  lineage.isSaving = true;
  saver.checkpoint(() => over.push(3));
  await new Promise(setImmediate);
  expect(lineage.saves).toBe(2);
  expect(over).toEqual([1, 2, 3]);
});

it("saves once for whoever asks while it saves, and again afterwards", async () => {
  const { saver, lineage } = fixture();
  await Promise.all([saver.saveNow(), saver.saveNow(), saver.saveNow()]);
  expect(lineage.saves).toBe(1);
  await saver.saveNow();
  expect(lineage.saves).toBe(2);
});

it("raises the alarm at once when a checkpoint fails, repeats it seldom, and says when it is over", async () => {
  const { saver, happened, clock } = fixture(full, full, full);
  await saver.save();
  expect(saver.alarm).toBe(full.message);
  expect(happened).toEqual(["event alarm", "checkpoint failed"]);
  clock.ms = 1000;
  await saver.save();
  expect(happened).toHaveLength(2);
  clock.ms = 5000;
  await saver.save();
  expect(happened.slice(2)).toEqual(["checkpoint failed"]);
  await saver.save();
  expect(saver.alarm).toBeUndefined();
  expect(happened.slice(3)).toEqual(["checkpoint", "checkpoints work again", "event calm"]);
});

it("says nothing of an alarm where checkpoints work", async () => {
  const { saver, happened } = fixture();
  await saver.save();
  expect(happened).toEqual(["checkpoint"]);
});

it.each([new Replaced("a file", "/state"), new CheckpointError("write", "not finite")])(
  "must end without an alarm: %s",
  async (error) => {
    const { saver, happened } = fixture(error);
    await saver.save();
    expect(happened).toEqual([`must end: ${error.name}`]);
    expect(saver.alarm).toBeUndefined();
  },
);

it("saves the end of the run again and again until it works", async () => {
  const { happened, later, saveFinal } = fixture(full, full);
  await saveFinal();
  for (let times = 0; times < 2; times++) {
    expect(happened).not.toContain("durable");
    later.shift()!();
    await new Promise(setImmediate);
  }
  expect(happened.at(-1)).toBe("durable");
  expect(later).toEqual([]);
});

it("tells nobody, and does not try again, in a life that ends meanwhile", async () => {
  const works = fixture();
  works.life.isRunning = false;
  await works.saveFinal();
  expect(works.happened).not.toContain("durable");
  const fails = fixture(full);
  fails.life.isRunning = false;
  await fails.saveFinal();
  expect(fails.later).toEqual([]);
});

it("gives up at an end of the run that no other try would save", async () => {
  const { happened, later, saveFinal } = fixture(new Error("a bug"));
  await saveFinal();
  expect(happened).toEqual(["last checkpoint failed", "cannot save the end of the run"]);
  expect(later).toEqual([]);
});

it("saves that it was released until that works, as nobody says it twice", async () => {
  const { saver, later, lineage, happened } = fixture(full, "works");
  const saved = saver.saveReleased(undefined);
  await new Promise(setImmediate);
  expect([lineage.saves, happened]).toEqual([1, ["cannot save that it was released"]]);
  later.pop()!();
  await saved;
  expect(lineage.saves).toBe(2);
});
