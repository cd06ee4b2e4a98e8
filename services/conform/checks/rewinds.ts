import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor, teaches } from "../check.ts";
import type { Frame } from "../frame.ts";
import { sameBytes } from "../numbers.ts";
import { Broken } from "../peer.ts";
import { expectRewind, quiet } from "./batches.ts";

/** What the successor lacks, and evaluations. */
export const rewinds: readonly Check[] = [
  {
    section: "Need and rewind",
    claim: "need is cursor + 1, or what a linked successor lacks",
    concerns: hasSuccessor,
    run: async (bench) => {
      await twoBatches(bench);
      await bench.settle({ need: bench.cursor });
      await expectRewind(bench, bench.cursor);
      const { welcome } = await bench.linkBefore();
      if (welcome.need !== bench.cursor)
        throw new Broken(`expected need ${bench.cursor}, got ${welcome.need}`);
    },
  },
  {
    section: "rewind",
    claim:
      "one to a batch that the layer has applied is passed on; what comes again is answered with numbers, and goes on",
    concerns: hasSuccessor,
    run: async (bench) => {
      const items = await twoBatches(bench);
      bench.after.send({ kind: "rewind", need: bench.cursor - 1 });
      await expectRewind(bench, bench.cursor - 1);
      for (const item of items) {
        bench.before.send(item);
        await bench.taught(item);
        await bench.forwarded(item);
        bench.reply(Number(item.batch), bench.gradient(bench.subject.batchSize));
      }
      await quiet(bench);
      await bench.learn();
    },
  },
  {
    section: "rewind",
    claim: "need is lowered, not raised: a rewind to a later batch passes the lower one on",
    concerns: hasSuccessor,
    run: async (bench) => {
      await twoBatches(bench);
      bench.after.send({ kind: "rewind", need: bench.cursor - 1 });
      await expectRewind(bench, bench.cursor - 1);
      bench.after.send({ kind: "rewind", need: bench.cursor });
      await expectRewind(bench, bench.cursor - 1);
    },
  },
  {
    section: "rewind",
    claim: "one to the batch that comes next anyway is not passed on",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      bench.after.send({ kind: "rewind", need: bench.cursor + 1 });
      await bench.after.hasRead();
      await quiet(bench);
    },
  },
  {
    section: "rewind",
    claim: "it does not cancel what is in flight: that is answered as usual",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      const item = bench.activation(bench.cursor + 1);
      bench.before.send(item);
      await bench.taught(item);
      await bench.forwarded(item);
      bench.after.send({ kind: "rewind", need: bench.cursor + 1 });
      await expectRewind(bench, bench.cursor + 1);
      bench.reply(Number(item.batch), bench.gradient(bench.subject.batchSize));
      await bench.after.hasRead();
      await quiet(bench);
    },
  },
  {
    section: "What a layer does with a batch",
    claim: "a batch learnt before goes on only if it is the one that the successor lacks",
    concerns: hasSuccessor,
    run: async (bench) => {
      const [, last] = await twoBatches(bench);
      bench.after.send({ kind: "rewind", need: bench.cursor - 1 });
      await expectRewind(bench, bench.cursor - 1);
      bench.before.send(last!);
      await bench.taught(last!);
      await bench.after.staysSilent();
    },
  },
  {
    section: "Evaluations",
    claim: "parts are answered without numbers, and go on where the successor needs just that batch",
    run: async (bench) => {
      await bench.settle();
      for (const part of [0, 1]) {
        const forwarded = await evaluatePart(bench, part);
        if (forwarded === undefined) continue;
        const { evaluation } = forwarded as { evaluation?: { part?: number; parts?: number } };
        if (evaluation?.part !== part || evaluation.parts !== 2)
          throw new Broken(`expected part ${part} of 2, got ${JSON.stringify(evaluation)}`);
      }
      await quiet(bench);
      await bench.learn();
    },
  },
  {
    section: "Evaluations",
    claim: "a part at another batch is answered and goes no further",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      for (const ahead of [0, 2]) {
        const item = bench.activation(bench.cursor + ahead, {
          change: { evaluation: { part: 0, parts: 1 } },
        });
        bench.before.send(item);
        await bench.untaught(item);
      }
      await quiet(bench);
    },
  },
  {
    section: "Evaluations",
    claim: "they change nothing",
    concerns: teaches,
    run: async (bench) => {
      await bench.settle();
      const item = await bench.learn({ isTaught: false });
      const before = await bench.taughtAgain(item);
      for (const part of [0, 1]) await evaluatePart(bench, part);
      if (!sameBytes(before, await bench.taughtAgain(item)))
        throw new Broken("the answer to a batch is another after it");
    },
  },
];

/** Two batches, learnt here and by the successor. */
async function twoBatches(bench: Bench): Promise<Frame[]> {
  await bench.settle();
  return [await bench.learn(), await bench.learn()];
}

/** Part `part` of two of an evaluation here, through the whole worker; the frame that it forwards, unless it is the head. */
async function evaluatePart(bench: Bench, part: number): Promise<Frame | undefined> {
  const item = bench.activation(bench.cursor + 1, { change: { evaluation: { part, parts: 2 } } });
  bench.before.send(item);
  await bench.untaught(item);
  if (bench.subject.isHead) return undefined;
  const forwarded = await bench.forwarded(item);
  bench.reply(Number(item.batch));
  return forwarded;
}
