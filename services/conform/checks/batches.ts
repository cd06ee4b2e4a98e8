import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor, teaches } from "../check.ts";
import { rowsOf } from "../expect.ts";
import type { Fields, Frame, Tensor } from "../frame.ts";
import { meetLack, sendAgain } from "../lacking.ts";
import { sameBytes, valuesOf } from "../numbers.ts";
import { Broken } from "../peer.ts";
import { probe } from "../probe.ts";

/** Batches in order, out of order, again, and more than there is room for. */
export const batches: readonly Check[] = [
  {
    section: "activation",
    claim: "every batch is answered once, in order, and goes on once, in order",
    run: async (bench) => {
      await bench.settle();
      const { window, isHead } = bench.subject;
      const items = Array.from({ length: window }, (_, index) => bench.activation(bench.cursor + 1 + index));
      for (const item of items) bench.before.send(item);
      for (const item of items) await bench.taught(item);
      if (!isHead) for (const item of items) await bench.forwarded(item);
      if (!isHead) for (const item of items) bench.reply(item);
      await quiet(bench);
    },
  },
  {
    section: "activation",
    claim: "a batch of fewer rows is taken, and answered and passed on with as many",
    run: async (bench) => {
      await bench.settle();
      await bench.learn({ rows: 1 });
      await bench.learn({ rows: bench.subject.batchSize - 1 });
    },
  },
  {
    section: "What a layer does with a batch",
    claim:
      "weights change at most once for each batch: sent again it is answered, each time alike, and does not go on",
    concerns: teaches,
    run: async (bench) => {
      await bench.settle();
      const item = await bench.learn({ isTaught: false });
      const before = await probe(bench);
      const again: (Tensor | undefined)[] = [];
      for (let time = 0; time < 3; time++) again.push(await bench.taughtAgain(item));
      if (again.some((answer) => !sameBytes(answer, again[0]))) throw new Broken("the answers differ");
      await quiet(bench);
      if ((await probe(bench)) !== before) throw new Broken("weights have changed");
    },
  },
  {
    section: "What a layer does with a batch",
    claim: "the next batch changes the weights",
    run: async (bench) => {
      await bench.settle();
      const before = await probe(bench);
      await bench.learn({ isTaught: false });
      if ((await probe(bench)) === before)
        throw new Broken("it makes the same of held-out data as before it");
    },
  },
  {
    section: "What a layer does with a batch",
    claim: "a gap is answered without numbers, and a rewind asked for once for up to window gaps more",
    run: async (bench) => {
      await bench.settle();
      const { window } = bench.subject;
      const rewinds: unknown[] = [];
      for (let gap = 0; gap <= window; gap++) rewinds.push(...(await meetGap(bench)));
      if (rewinds.length !== 1 || rewinds[0] !== bench.cursor + 1)
        throw new Broken(`expected one rewind to ${bench.cursor + 1}, got ${rewinds.join(", ") || "none"}`);
      const again = await meetGap(bench);
      if (again.length !== 1)
        throw new Broken(`after more than ${window} gaps: expected another rewind, got ${again.length}`);
      await bench.learn();
    },
  },
  {
    section: "What a layer does with a batch",
    claim: "an item that is taken ends the count: the next gap is asked about at once",
    run: async (bench) => {
      await bench.settle();
      await meetGap(bench);
      await bench.learn();
      const rewinds = await meetGap(bench);
      if (rewinds.length !== 1) throw new Broken(`expected one rewind, got ${rewinds.length}`);
    },
  },
  {
    section: "The window",
    claim:
      "at most window items are in flight to the successor; what has to wait is not answered, and goes on by one for each answer",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      const { window } = bench.subject;
      const items = await fill(bench);
      const waiting = bench.activation(bench.cursor + 1);
      bench.before.send(waiting);
      await bench.before.hasRead();
      await quiet(bench);
      bench.reply(items[0]!);
      await bench.taught(waiting);
      await bench.forwarded(waiting);
      for (const item of [...items.slice(1), waiting]) bench.reply(item);
      if (items.length !== window) throw new Broken(`expected ${window} in flight, got ${items.length}`);
      await quiet(bench);
    },
  },
  {
    section: "The window",
    claim: "one unanswered item more than the window closes with 4429",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      await fill(bench);
      const { window } = bench.subject;
      for (let index = 1; index <= window; index++) bench.before.send(bench.activation(bench.cursor + index));
      await bench.before.hasRead();
      await quiet(bench);
      bench.before.send(bench.activation(bench.cursor + window + 1));
      await bench.before.closesWith(4429);
    },
  },
  {
    section: "The window",
    claim: "when a link dies, its items are forgotten: the next link begins at the need of its welcome",
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      await fill(bench);
      bench.before.send(bench.activation(bench.cursor + 1));
      await bench.before.hasRead();
      await bench.before.close();
      const { peer, welcome } = await bench.linkBefore();
      if (welcome.need !== bench.cursor + 1)
        throw new Broken(`expected need ${bench.cursor + 1}, got ${welcome.need}`);
      await peer.staysSilent();
    },
  },
  {
    section: "gradient",
    claim: "row i is the gradient of example i alone, not divided by the batch size",
    concerns: ({ isHead, batchNorm, isFirst, dtype }) => isHead && !batchNorm && !isFirst && dtype !== "i8",
    run: async (bench) => {
      await bench.settle();
      const { batchSize, inputs } = bench.subject;
      const among = bench.activation(bench.cursor + 1);
      const alone = { ...among, ...firstRows(among) };
      const answers: number[][] = [];
      // Weights change from one to the next: alone it is as far from either as these are from each other, at most.
      for (const item of [among, alone, among]) {
        const next = { ...item, batch: bench.cursor + 1 };
        answers.push(valuesOf((await bench.taughtAgain(next))!, rowsOf(next), inputs).slice(0, inputs));
        bench.cursor++;
      }
      const [before, once, after] = answers as [number[], number[], number[]];
      const most = Math.max(...once.map(Math.abs));
      const drift = apart(before, after);
      if (drift > most / 2) throw new Broken(`it moves by ${drift} in two batches, of ${most}`);
      if (apart(before, once) > 0.02 * most + drift)
        throw new Broken(`alone it is ${once[0]}, among ${batchSize} it is ${before[0]}`);
    },
  },
  {
    section: "What a layer does with a batch",
    claim:
      "with its successor away it learns stalenessBudget batches since the last target, forwards nothing, and holds",
    concerns: hasSuccessor,
    run: async (bench) => {
      const held = await spendBudget(bench);
      const { lacks } = await bench.linkAfter();
      await goOn(bench, held, lacks);
    },
  },
  {
    section: "What a layer does with a batch",
    claim:
      "where the successor comes back and lacks earlier batches, it has those before the next one, which waits for them or is answered without numbers",
    concerns: hasSuccessor,
    run: async (bench) => {
      const held = await spendBudget(bench);
      const { lacks } = await bench.linkAfter(bench.cursor);
      await goOn(bench, held, lacks);
    },
  },
];

/** Learns until nothing is answered any more; gives what waits then. */
async function spendBudget(bench: Bench): Promise<Frame> {
  await bench.settle();
  await bench.learn();
  await bench.after.close();
  // By then it knows.
  const gone = await bench.arrival();
  for (let batch = 0; batch < bench.subject.stalenessBudget; batch++) {
    const item = bench.activation(bench.cursor + 1);
    bench.before.send(item);
    await bench.taught(item);
    bench.cursor++;
  }
  const held = bench.activation(bench.cursor + 1);
  bench.before.send(held);
  await bench.before.hasRead();
  await bench.before.staysSilent();
  await gone.close();
  return held;
}

/** The successor gets what it lacks from batch `lacks` on, and then what was held. */
async function goOn(bench: Bench, held: Frame, lacks: number): Promise<void> {
  if (lacks <= bench.cursor && (await meetLack(bench, lacks)) === "asked") {
    await bench.untaught(held);
    await sendAgain(bench, lacks);
    bench.before.send(held);
  }
  await bench.taught(held);
  await bench.forwarded(held);
  bench.reply(held, bench.gradient(rowsOf(held)));
}

/** As many in flight to the successor as may be. */
async function fill(bench: Bench): Promise<Frame[]> {
  const items: Frame[] = [];
  for (let index = 0; index < bench.subject.window; index++) {
    items.push(await bench.apply());
  }
  return items;
}

/** The rewinds that a batch too early brings: answered without numbers. */
async function meetGap(bench: Bench): Promise<unknown[]> {
  bench.before.send(bench.activation(bench.cursor + 5));
  await bench.before.hasRead();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const frames = bench.before.take();
  const answers = frames.filter(({ kind }) => kind === "gradient");
  if (answers.length !== 1 || "gradient" in answers[0]!)
    throw new Broken(`expected an answer without numbers, got ${answers.length}`);
  return frames.filter(({ kind }) => kind === "rewind").map(({ need }) => need);
}

export async function quiet(bench: Bench): Promise<void> {
  await bench.before.staysSilent();
  if (!bench.subject.isHead) await bench.after.staysSilent();
}

/** The tensors of an item, cut after their first row. */
function firstRows(item: Frame): Fields {
  const tensors = Object.entries(item).filter(([, value]) => typeof value === "object");
  return Object.fromEntries(tensors.map(([name, value]) => [name, firstRow(value)]));
}

function apart(one: readonly number[], other: readonly number[]): number {
  return Math.max(...one.map((value, index) => Math.abs(value - other[index]!)));
}

function firstRow(value: unknown): Tensor {
  const { shape, data, ...rest } = value as Tensor;
  return { ...rest, shape: [1, shape[1]], data: data.subarray(0, data.length / shape[0]) };
}
