import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor, teaches } from "../check.ts";
import type { Frame } from "../frame.ts";
import { expectRewind, meetLack, sendAgain } from "../lacking.ts";
import { sameBytes } from "../numbers.ts";
import { Broken } from "../peer.ts";
import { probe } from "../probe.ts";
import type { Subject } from "../subject.ts";
import { quiet } from "./batches.ts";

/** What the successor lacks, and evaluations. */
export const rewinds: readonly Check[] = [
  {
    section: "Need and rewind",
    claim: "need is cursor + 1, or what a linked successor lacks and is not sent from what is kept",
    concerns: hasSuccessor,
    run: async (bench) => {
      await learnInOneStretch(bench, 2);
      await bench.settle({ need: bench.cursor });
      const isAsked = (await meetLack(bench, bench.cursor)) === "asked";
      const expected = isAsked ? bench.cursor : bench.cursor + 1;
      const { welcome } = await bench.linkBefore();
      if (welcome.need !== expected) throw new Broken(`expected need ${expected}, got ${welcome.need}`);
    },
  },
  {
    section: "Need and rewind",
    claim: "what a successor lacks goes on again: once it was asked for, or from what is kept, as it was",
    concerns: hasSuccessor,
    run: async (bench) => {
      const items = await learnInOneStretch(bench, bench.subject.window + 1);
      const need = Number(items[0]!.batch);
      bench.after.send({ kind: "rewind", need });
      if ((await meetLack(bench, need)) === "asked") await sendAgain(bench, need);
      await quiet(bench);
      await bench.learn();
    },
  },
  {
    section: "Need and rewind",
    claim:
      "behind held-out data it is asked for, by the lower of two needs; it is answered with numbers, and goes on",
    concerns: (subject) => hasSuccessor(subject) && canReachHeldOut(subject),
    run: async (bench) => {
      const items = await learnBehindHeldOut(bench);
      bench.after.send({ kind: "rewind", need: bench.cursor - 1 });
      await expectRewind(bench, bench.cursor - 1);
      bench.after.send({ kind: "rewind", need: bench.cursor });
      await expectRewind(bench, bench.cursor - 1);
      await sendAgain(bench, Number(items[0]!.batch));
      await quiet(bench);
      await bench.learn();
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
      await bench.apply();
      bench.after.send({ kind: "rewind", need: bench.cursor });
      await meetLack(bench, bench.cursor);
      bench.reply(bench.cursor, bench.gradient(bench.subject.batchSize));
      await bench.after.hasRead();
      await quiet(bench);
    },
  },
  {
    section: "What a layer does with a batch",
    claim: "a batch learnt before goes on only if it is the one that the successor lacks",
    concerns: hasSuccessor,
    run: async (bench) => {
      const [, last] = await learnInOneStretch(bench, 2);
      bench.after.send({ kind: "rewind", need: bench.cursor - 1 });
      await meetLack(bench, bench.cursor - 1);
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
      const before = [await probe(bench), await bench.taughtAgain(item)] as const;
      for (const part of [0, 1]) await evaluatePart(bench, part);
      if (!sameBytes(before[1], await bench.taughtAgain(item)))
        throw new Broken("the answer to a batch is another after it");
      if ((await probe(bench)) !== before[0]) throw new Broken("it makes another of held-out data after it");
    },
  },
];

/** So many batches, learnt here and by the successor, and no held-out data just before, among or behind them. */
async function learnInOneStretch(bench: Bench, count: number): Promise<Frame[]> {
  const { evaluateEvery } = bench.subject;
  await bench.settle();
  if (evaluateEvery > count + 1)
    while (bench.cursor % evaluateEvery > evaluateEvery - count - 2) await bench.learn();
  return learnOn(bench, count);
}

/** Two batches, the one before held-out data and the one behind. */
async function learnBehindHeldOut(bench: Bench): Promise<Frame[]> {
  await bench.settle();
  while ((bench.cursor + 2) % bench.subject.evaluateEvery !== 0) await bench.learn();
  return learnOn(bench, 2);
}

async function learnOn(bench: Bench, count: number): Promise<Frame[]> {
  const items: Frame[] = [];
  for (let batch = 0; batch < count; batch++) items.push(await bench.learn());
  return items;
}

function canReachHeldOut({ evaluateEvery }: Subject): boolean {
  return evaluateEvery > 0 && evaluateEvery <= 100;
}

/** Part `part` of two of an evaluation here, through the whole worker; the frame that it forwards, unless it is the head. */
async function evaluatePart(bench: Bench, part: number): Promise<Frame | undefined> {
  const item = bench.activation(bench.cursor + 1, { change: { evaluation: { part, parts: 2 } } });
  bench.before.send(item);
  await bench.untaught(item);
  if (bench.subject.isHead) return undefined;
  const forwarded = await bench.forwarded(item);
  bench.reply(item);
  return forwarded;
}
