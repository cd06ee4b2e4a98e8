import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor } from "../check.ts";
import { type Frame, PROTOCOL } from "../frame.ts";
import { tensor } from "../numbers.ts";
import { type Bad, OTHER_DTYPE } from "./frames.ts";

const back: readonly Bad[] = [
  ["a text message", () => '{"kind":"rewind","need":0}', 4400],
  ["a byte that MessagePack does not use", () => Buffer.from([0xc1]), 4400],
  ["an activation, which goes forward", (bench) => bench.activation(0), 4400],
  ["a release, which goes forward", () => ({ kind: "release" }), 4400],
  ["a second welcome", welcomeAgain, 4400],
  ["an answer where nothing is in flight", (bench) => answer(bench, bench.cursor), 4400],
  ["the answer to another batch", (bench) => answer(bench, bench.cursor + 1), 4400, applied],
  [
    "the answer to a part of an evaluation where a batch is due",
    (bench) => ({ kind: "gradient", batch: bench.cursor, part: 0 }),
    4400,
    applied,
  ],
  ["the answer to another part", (bench) => partAnswer(bench, 1), 4400, evaluated],
  ["the answer to a batch where a part is due", (bench) => partAnswer(bench), 4400, evaluated],
  [
    "an answer with an unknown field",
    (bench) => ({ ...answer(bench, bench.cursor), rows: 1 }),
    4400,
    applied,
  ],
  ["a gradient of fewer rows than the batch", (bench) => answer(bench, bench.cursor, -1), 4412, applied],
  ["a gradient of more rows than the batch", (bench) => answer(bench, bench.cursor, 1), 4412, applied],
  ["a gradient of another width", (bench) => answer(bench, bench.cursor, 0, 1), 4412, applied],
  [
    "a gradient of another dtype",
    (bench) => answer(bench, bench.cursor, 0, 0, OTHER_DTYPE[bench.subject.dtype]),
    4412,
    applied,
  ],
  ["a gradient that is u8", (bench) => answer(bench, bench.cursor, 0, 0, "u8"), 4400, applied],
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

/** The batch at the cursor is in flight to the successor. */
async function applied(bench: Bench): Promise<void> {
  await bench.apply();
}

/** Part 0 of an evaluation is in flight to the successor. */
async function evaluated(bench: Bench): Promise<void> {
  const evaluation = { part: 0, parts: 2 };
  const item = bench.activation(bench.cursor + 1, { change: { evaluation } });
  bench.before.send(item);
  await bench.untaught(item);
  await bench.forwarded(item);
}

/** Where `evaluated` left it. */
function partAnswer(bench: Bench, part?: number): Frame {
  return { kind: "gradient", batch: bench.cursor + 1, ...(part !== undefined && { part }) };
}

function answer(bench: Bench, batch: number, rows = 0, columns = 0, dtype = bench.subject.dtype): Frame {
  const { batchSize, outputs } = bench.subject;
  return { kind: "gradient", batch, gradient: tensor(dtype, batchSize + rows, outputs + columns, 0) };
}

function welcomeAgain({ subject }: Bench): Frame {
  const { run, layer, configHash } = subject;
  const life = { incarnation: 1, instance: "i", need: 0 };
  return { kind: "welcome", protocol: PROTOCOL, run, from: layer + 1, configHash, ...life };
}

function snapshot(digest: string): Frame {
  return { kind: "snapshot", snapshot: "000000001-00000000", saved: [{ layer: 9, digest }] };
}
