import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor } from "../check.ts";
import type { Frame } from "../frame.ts";
import { tensor } from "../numbers.ts";
import { type Bad, OTHER_DTYPE } from "./frames.ts";

const back: readonly Bad[] = [
  ["a text message", () => '{"kind":"rewind","need":0}', 4400],
  ["a byte that MessagePack does not use", () => Buffer.from([0xc1]), 4400],
  ["an activation, which goes forward", (bench) => bench.activation(0), 4400],
  ["a release, which goes forward", () => ({ kind: "release" }), 4400],
  ["a second welcome", welcomeAgain, 4400],
  ["an answer where nothing is in flight", (bench) => answer(bench, bench.cursor), 4400],
  ["the answer to another batch", (bench) => answer(bench, bench.cursor + 1), 4400, fly],
  ["an answer with an unknown field", (bench) => ({ ...answer(bench, bench.cursor), rows: 1 }), 4400, fly],
  ["a gradient of fewer rows than the batch", (bench) => answer(bench, bench.cursor, -1), 4412, fly],
  ["a gradient of more rows than the batch", (bench) => answer(bench, bench.cursor, 1), 4412, fly],
  ["a gradient of another width", (bench) => answer(bench, bench.cursor, 0, 1), 4412, fly],
  [
    "a gradient of another dtype",
    (bench) => answer(bench, bench.cursor, 0, 0, OTHER_DTYPE[bench.subject.dtype]),
    4412,
    fly,
  ],
  ["a gradient that is u8", (bench) => answer(bench, bench.cursor, 0, 0, "u8"), 4400, fly],
  ["a rewind beyond the run", (bench) => ({ kind: "rewind", need: bench.subject.batches + 1 }), 4400],
  ["a rewind to a batch below 0", () => ({ kind: "rewind", need: -1 }), 4400],
  ["a rewind without a batch", () => ({ kind: "rewind" }), 4400],
  ["a snapshot whose digest is none", () => snapshot("00"), 4400],
  ["a finished whose reports are none", () => ({ kind: "finished", reports: 7 }), 4400],
];

/** What a layer must not take from its successor. */
export const framesBack: readonly Check[] = back.map(badBack);

function badBack([what, frame, code, before]: Bad): Check {
  return {
    section: "Learning",
    claim: `from the successor ${what} closes with ${code}`,
    concerns: hasSuccessor,
    run: async (bench) => {
      await bench.settle();
      await before?.(bench);
      bench.after.send(frame(bench));
      await bench.after.closesWith(code);
    },
  };
}

/** One batch in flight to the successor: the one at the cursor. */
async function fly(bench: Bench): Promise<void> {
  const item = bench.activation(bench.cursor + 1);
  bench.before.send(item);
  await bench.taught(item);
  await bench.forwarded(item);
  bench.cursor++;
}

function answer(bench: Bench, batch: number, rows = 0, columns = 0, dtype = bench.subject.dtype): Frame {
  const { batchSize, outputs } = bench.subject;
  return { kind: "gradient", batch, gradient: tensor(dtype, batchSize + rows, outputs + columns, 0) };
}

function welcomeAgain({ subject }: Bench): Frame {
  const { run, layer, configHash } = subject;
  const life = { incarnation: 1, instance: "i", need: 0 };
  return { kind: "welcome", protocol: 5, run, from: layer + 1, configHash, ...life };
}

function snapshot(digest: string): Frame {
  return { kind: "snapshot", snapshot: "000000001-00000000", saved: [{ layer: 9, digest }] };
}
