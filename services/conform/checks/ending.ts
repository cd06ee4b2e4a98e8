import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { requireFields } from "../expect.ts";
import type { Fields, Frame } from "../frame.ts";
import { expectRewind } from "../lacking.ts";
import { ANSWER_MS, Broken } from "../peer.ts";
import { isUnreachable } from "../reach.ts";
import { quiet } from "./batches.ts";

const DIGEST = /^[0-9a-f]{64}$/;
const SAVE_MS = 10_000;
const TEST = { loss: 0.5, error: 0.25 };

/** Last, and in this order: the worker learns the whole run, and leaves. */
export const ending: readonly Check[] = [
  {
    section: "release",
    claim: "before the end it closes with 4400, and the worker goes on",
    run: async (bench) => {
      await bench.settle();
      bench.before.send({ kind: "release" });
      await bench.before.closesWith(4400);
      await bench.settle();
      await bench.learn();
    },
  },
  {
    section: "end",
    claim: "a layer that lacks batches treats it as a gap, and asks for a rewind",
    run: async (bench) => {
      await bench.settle();
      bench.before.send(end(bench));
      await expectRewind(bench, bench.cursor + 1);
      await quiet(bench);
    },
  },
  {
    section: "What a layer does with a batch",
    claim: "it learns the whole run, each batch answered once and in order",
    limitMs: 120_000,
    run: async (bench) => {
      await bench.settle();
      while (bench.cursor < bench.subject.batches - 1) await bench.learn();
    },
  },
  {
    section: "end",
    claim: "the head, where it has not judged at the end, asks for a rewind to there",
    concerns: ({ isHead }) => isHead,
    run: async (bench) => {
      await bench.settle();
      bench.before.send(end(bench));
      await expectRewind(bench, bench.subject.batches);
    },
  },
  {
    section: "finished",
    claim:
      "end is passed on, and once all after it have finished the layer saves and says so, itself first, with the same test",
    run: async (bench) => {
      await bench.settle();
      await finish(bench);
    },
  },
  {
    section: "finished",
    claim: "it may be asked again: the end comes anew over a new link, and is answered alike",
    run: async (bench) => {
      await bench.settle();
      if (bench.cursor !== bench.subject.batches - 1)
        throw new Broken(`it needs batch ${bench.cursor + 1} again`);
      await finish(bench);
    },
  },
  {
    section: "release",
    claim: "it is passed on once, the link that it came by is closed with 1000, and the worker exits",
    limitMs: 60_000,
    run: async (bench) => {
      const { before, after, subject } = bench;
      before.send({ kind: "release" });
      if (!subject.isHead) {
        await after.next("release");
        await after.staysSilent();
        // That it was heard.
        await after.close(1000);
      }
      await before.closesWith(1000, ANSWER_MS);
      const end = performance.now() + 20_000;
      while (!(await isUnreachable(bench.url)))
        if (performance.now() > end) throw new Broken("expected it to exit, it listens still after 20 s");
    },
  },
];

function end({ subject }: Bench): Frame {
  return { kind: "end", batches: subject.batches };
}

/** From the last batch on: the evaluation, the end, and what the layer says then. */
async function finish(bench: Bench): Promise<void> {
  const { subject, before } = bench;
  // The successor that has just come may have lost the end.
  if (!subject.isHead) await expectRewind(bench, subject.batches);
  const evaluation = bench.activation(subject.batches, { change: { evaluation: { part: 0, parts: 1 } } });
  before.send(evaluation);
  await bench.untaught(evaluation);
  if (!subject.isHead) {
    await bench.forwarded(evaluation);
    before.send(end(bench));
    await before.hasRead();
    await bench.after.staysSilent();
    bench.reply(evaluation);
    await passEnd(bench);
  } else before.send(end(bench));
  const finished = await before.next("finished", SAVE_MS);
  expectFinished(bench, finished);
}

async function passEnd(bench: Bench): Promise<void> {
  const { subject } = bench;
  const passed = await bench.after.next("end");
  requireFields(passed, "batches kind");
  if (passed.batches !== subject.batches)
    throw new Broken(`expected end at ${subject.batches}, got ${passed.batches}`);
  bench.after.send({ kind: "finished", reports: [report(bench)], test: TEST });
}

function report({ subject }: Bench): Fields {
  const applied = [[0, subject.batches - 1]];
  return { layer: subject.layer + 1, applied, restarts: 0, digest: "b".repeat(64) };
}

function expectFinished(bench: Bench, finished: Frame): void {
  const { subject } = bench;
  requireFields(finished, "kind reports test");
  const reports = finished.reports as Fields[];
  const expected = JSON.stringify(subject.isHead ? [] : [report(bench)]);
  const [own, ...others] = reports;
  if (own?.layer !== subject.layer)
    throw new Broken(`expected its own report first, got ${JSON.stringify(reports)}`);
  requireFields(own, "applied digest layer restarts");
  const range = JSON.stringify([[0, subject.batches - 1]]);
  if (JSON.stringify(own.applied) !== range)
    throw new Broken(`expected applied ${range}, got ${JSON.stringify(own.applied)}`);
  if (!Number.isSafeInteger(own.restarts) || !DIGEST.test(String(own.digest)))
    throw new Broken(`its report is ${JSON.stringify(own)}`);
  if (JSON.stringify(others.map(ordered)) !== JSON.stringify(JSON.parse(expected).map(ordered)))
    throw new Broken(`expected the successor's reports behind, got ${JSON.stringify(others)}`);
  const test = finished.test as Fields | undefined;
  if (subject.isHead ? !isTest(test) : JSON.stringify(test) !== JSON.stringify(TEST))
    throw new Broken(`the test result is ${JSON.stringify(test)}`);
}

function ordered(fields: Fields): unknown {
  return Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
}

function isTest(test: Fields | undefined): boolean {
  return test !== undefined && Number.isFinite(test.loss) && Number.isFinite(test.error);
}
