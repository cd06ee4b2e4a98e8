import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor } from "../check.ts";
import { requireFields } from "../expect.ts";
import type { Fields, Frame } from "../frame.ts";
import { Broken } from "../peer.ts";
import { quiet } from "./batches.ts";

const section = "barrier";
const DIGEST = /^[0-9a-f]{64}$/;
const SAVE_MS = 10_000;
let names = 0;

/** Snapshots of the whole network. */
export const barriers: readonly Check[] = [
  {
    section,
    claim:
      "at cursor + 1 it is answered without numbers and passed on as it is; once all after it have saved, so says the layer, itself first",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      const barrier = await passBarrier(bench);
      await bench.before.staysSilent();
      const after = { layer: bench.subject.layer + 1, digest: "a".repeat(64) };
      bench.after.send({ kind: "snapshot", snapshot: barrier.snapshot, saved: [after] });
      const saved = await expectSnapshot(bench, barrier);
      if (saved.length !== 2 || saved[1]!.layer !== after.layer || saved[1]!.digest !== after.digest)
        throw new Broken(`expected its own entry and then the successor's, got ${JSON.stringify(saved)}`);
      await bench.learn();
    },
  },
  {
    section,
    claim: "the head saves and says so, with a test result if it has judged there",
    concerns: ({ isHead }) => isHead,
    run: async (bench) => {
      await bench.settle();
      const evaluation = bench.activation(bench.cursor + 1, {
        change: { evaluation: { part: 0, parts: 1 } },
      });
      bench.before.send(evaluation);
      await bench.untaught(evaluation);
      const judged = await expectSnapshot(bench, await sendBarrier(bench), true);
      if (judged.length !== 1) throw new Broken(`expected one entry, got ${judged.length}`);
      await bench.learn();
      await expectSnapshot(bench, await sendBarrier(bench));
    },
  },
  {
    section,
    claim: "it waits, unanswered, until nothing is in flight to the successor",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      await bench.apply();
      const barrier = barrierAt(bench.cursor + 1);
      bench.before.send(barrier);
      await bench.before.hasRead();
      await quiet(bench);
      bench.reply(bench.cursor);
      await bench.untaught(barrier);
      await expectPassed(bench, barrier);
      bench.reply(barrier);
    },
  },
  {
    section,
    claim: "elsewhere it is answered and dropped",
    run: async (bench) => {
      await bench.settle();
      await bench.learn();
      for (const batch of [bench.cursor, bench.cursor + 2].filter((each) => each > 0)) {
        const barrier = barrierAt(batch);
        bench.before.send(barrier);
        await bench.untaught(barrier);
      }
      await quiet(bench);
      await bench.learn();
    },
  },
  {
    section: "snapshot",
    claim: "one of another barrier than the last is ignored",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      await passBarrier(bench);
      const other = barrierAt(bench.cursor + 1);
      const saved = [{ layer: bench.subject.layer + 1, digest: "a".repeat(64) }];
      bench.after.send({ kind: "snapshot", snapshot: other.snapshot, saved });
      await bench.after.hasRead();
      await quiet(bench);
    },
  },
];

function barrierAt(batch: number): Frame {
  const tag = `${Date.now().toString(16).slice(-5)}${(++names % 4096).toString(16).padStart(3, "0")}`;
  return { kind: "barrier", batch, snapshot: `${String(batch).padStart(9, "0")}-${tag}`, kept: [] };
}

async function sendBarrier(bench: Bench): Promise<Frame> {
  const barrier = barrierAt(bench.cursor + 1);
  bench.before.send(barrier);
  await bench.untaught(barrier);
  return barrier;
}

/** Taken by the worker, and answered by its successor. */
async function passBarrier(bench: Bench): Promise<Frame> {
  await bench.learn();
  const barrier = await sendBarrier(bench);
  await expectPassed(bench, barrier);
  bench.reply(barrier);
  await bench.after.hasRead();
  return barrier;
}

async function expectPassed(bench: Bench, barrier: Frame): Promise<void> {
  const passed = await bench.after.next("barrier");
  if (JSON.stringify(sorted(passed)) !== JSON.stringify(sorted(barrier)))
    throw new Broken(`expected the same barrier, got ${JSON.stringify(passed)}`);
}

function sorted(fields: Fields): unknown {
  return Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
}

async function expectSnapshot(bench: Bench, barrier: Frame, hasTest = false): Promise<Fields[]> {
  const snapshot = await bench.before.next("snapshot", SAVE_MS);
  if (bench.subject.isHead)
    requireFields(snapshot, hasTest ? "kind saved snapshot test" : "kind saved snapshot");
  if (snapshot.snapshot !== barrier.snapshot)
    throw new Broken(`expected ${barrier.snapshot}, got ${snapshot.snapshot}`);
  const saved = snapshot.saved as Fields[];
  const own = saved?.[0];
  if (own?.layer !== bench.subject.layer)
    throw new Broken(`expected its own entry first, got ${JSON.stringify(saved)}`);
  if (!DIGEST.test(String(own.digest))) throw new Broken(`its digest is ${own.digest}`);
  return saved;
}
