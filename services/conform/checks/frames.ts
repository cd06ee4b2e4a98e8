import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { entriesOf, type Fields, type Frame, pack, rawMap, type Tensor } from "../frame.ts";
import { labels, tensor } from "../numbers.ts";
import { Broken } from "../peer.ts";

type Bytes = Frame | Buffer | string;
/** What is wrong, the bytes, the code, and what to do before. */
export type Bad = readonly [string, (bench: Bench) => Bytes, number, ((bench: Bench) => Promise<void>)?];

export const OTHER_DTYPE: Readonly<Record<string, string>> = {
  f32: "f16",
  f16: "bf16",
  bf16: "f16",
  i8: "f32",
  u8: "f32",
};

const next = (bench: Bench, change: Fields = {}, rows?: number): Frame =>
  bench.activation(bench.cursor + 1, { change, ...(rows !== undefined && { rows }) });

function within(bench: Bench, name: "activation" | "labels", change: Fields): Frame {
  const frame = next(bench);
  return { ...frame, [name]: { ...(frame[name] as Tensor), ...change } };
}

const general: readonly Bad[] = [
  ["a text message", () => '{"kind":"release"}', 4400],
  ["a byte that MessagePack does not use", () => Buffer.from([0xc1]), 4400],
  ["an empty message", () => Buffer.alloc(0), 4400],
  ["a list instead of a map", () => pack(["activation"]), 4400],
  ["a number instead of a map", () => pack(7), 4400],
  ["an unknown kind", () => ({ kind: "greeting" }), 4400],
  ["no kind", () => pack({ batch: 0 }), 4400],
  ["a byte behind the map's end", (bench) => Buffer.concat([pack(next(bench)), Buffer.from([0xc0])]), 4400],
  ["half a frame", (bench) => pack(next(bench)).subarray(0, 40), 4400],
  ["an unknown field", (bench) => next(bench, { colour: "red" }), 4400],
  ["nil for an optional field", (bench) => next(bench, { evaluation: null }), 4400],
  ["a key twice", (bench) => rawMap([...entriesOf(next(bench)), ["batch", pack(bench.cursor + 1)]]), 4400],
  ["a key that is a number", () => Buffer.from([0x81, 0x01, 0x01]), 4400],
  ["a timestamp", (bench) => withBatch(bench, Buffer.from("d6ff00000001", "hex")), 4400],
  ["an extension", (bench) => withBatch(bench, Buffer.from("d40101", "hex")), 4400],
  ["maps in maps beyond a depth of 6", () => nested(8), 4400],
  [
    "a list that says it has 2³² − 1 items",
    (bench) => withBatch(bench, Buffer.from("ddffffffff", "hex")),
    4400,
  ],
  ["a text longer than 256 bytes", (bench) => withBatch(bench, pack("b".repeat(300))), 4400],
  ["a frame longer than the longest", (bench) => Buffer.alloc(longest(bench) + 1, 0xc0), 1009],
];

const forward: readonly Bad[] = [
  ["a gradient, which goes back", () => ({ kind: "gradient", batch: 0 }), 4400],
  ["a rewind, which goes back", () => ({ kind: "rewind", need: 0 }), 4400],
  ["a batch below 0", (bench) => next(bench, { batch: -1 }), 4400],
  ["a batch that is no integer", (bench) => next(bench, { batch: 0.5 }), 4400],
  ["a batch that is a text", (bench) => next(bench, { batch: "0" }), 4400],
  ["a batch beyond the run", (bench) => next(bench, { batch: bench.subject.batches }), 4400],
  ["no batch", (bench) => withoutField(next(bench), "batch"), 4400],
  ["no labels", (bench) => withoutField(next(bench), "labels"), 4400],
  ["a part beyond its parts", (bench) => next(bench, { evaluation: { part: 1, parts: 1 } }), 4400],
  ["more rows than a batch has", (bench) => next(bench, {}, bench.subject.batchSize + 1), 4412],
  [
    "another width",
    (bench) => {
      const { dtypeIn, inputs, batchSize } = bench.subject;
      return next(bench, { activation: tensor(dtypeIn, batchSize, inputs + 1, 0) });
    },
    4412,
  ],
  [
    "another dtype",
    (bench) => {
      const { dtypeIn, inputs, batchSize } = bench.subject;
      return next(bench, { activation: tensor(OTHER_DTYPE[dtypeIn]!, batchSize, inputs, 0) });
    },
    4412,
  ],
  ["an unknown dtype", (bench) => within(bench, "activation", { dtype: "f64" }), 4400],
  ["a byte too many in a tensor", (bench) => within(bench, "activation", { data: longer(bench) }), 4400],
  [
    "a tensor without rows",
    (bench) => within(bench, "activation", { shape: [0, bench.subject.inputs] }),
    4400,
  ],
  [
    "a shape of one number",
    (bench) => within(bench, "activation", { shape: [bench.subject.batchSize] }),
    4400,
  ],
  ["a tensor with an unknown field", (bench) => within(bench, "activation", { order: "C" }), 4400],
  ["labels of other rows", (bench) => next(bench, { labels: labelsOf(bench, { rows: -1 }) }), 4400],
  ["labels of another width", (bench) => next(bench, { labels: labelsOf(bench, { columns: 1 }) }), 4412],
  [
    "labels that are f32",
    (bench) => next(bench, { labels: tensor("f32", bench.subject.batchSize, bench.subject.labels, 0) }),
    4400,
  ],
  ["a correction, where inputs are not guessed", correction, 4412],
  ["a preview, where inputs are not guessed", preview, 4412],
  ["a barrier at batch 0", () => barrier(0), 4400],
  ["a barrier beyond the run", (bench) => barrier(bench.subject.batches), 4400],
  ["a barrier without a name", (bench) => withoutField(barrier(bench.cursor + 1), "snapshot"), 4400],
  [
    "a barrier with the name of another batch",
    (bench) => ({ ...barrier(bench.cursor + 1), batch: bench.cursor + 2 }),
    4400,
  ],
  ["an end of another run's length", (bench) => ({ kind: "end", batches: bench.subject.batches - 1 }), 4400],
];

const noClass: Bad = [
  "a label that is none of the classes",
  (bench) => {
    const found = labelsOf(bench, {});
    const data = Buffer.from(found.data);
    if (found.dtype === "u16") data.writeUInt16LE(bench.subject.classes!, 0);
    else data[0] = bench.subject.classes!;
    return next(bench, { labels: { ...found, data } });
  },
  4412,
];

const noInput: Bad = [
  "no input, where generators look at it",
  (bench) => withoutField(next(bench), "input"),
  4412,
];

/** What the receiver must not take, and how it says so. Nothing of it may be applied. */
export const frames: readonly Check[] = [
  ...general.map((bad) => badForward("Frames, in general", bad)),
  ...forward.map((bad) => badForward("Learning", bad)),
  {
    ...badForward("activation", noClass),
    concerns: ({ classes }) => classes !== undefined && classes !== 256 && classes <= 65_535,
  },
  { ...badForward("activation", noInput), concerns: ({ hasInput, isFirst }) => hasInput && !isFirst },
];

function badForward(section: string, [what, frame, code, before]: Bad): Check {
  return {
    section,
    claim: `${what} closes with ${code}`,
    run: async (bench) => {
      await bench.settle();
      await before?.(bench);
      bench.before.send(frame(bench));
      await bench.before.closesWith(code);
      await unmoved(bench);
    },
  };
}

/** The worker is alive, and where it was. */
async function unmoved(bench: Bench): Promise<void> {
  const { welcome } = await bench.linkBefore();
  if (welcome.need !== bench.cursor + 1)
    throw new Broken(`expected it to need batch ${bench.cursor + 1} still, it needs ${welcome.need}`);
}

/** With so many rows and columns more than they should have. */
function labelsOf({ subject }: Bench, { rows = 0, columns = 0 }): Tensor {
  return labels(subject.batchSize + rows, subject.labels + columns, subject.classes, 0);
}

function barrier(batch: number): Frame {
  const name = `${String(batch).padStart(9, "0")}-0badbad0`;
  return { kind: "barrier", batch, snapshot: name, kept: [] };
}

function correction(bench: Bench): Frame {
  const { activation } = next(bench);
  return { kind: "correction", batch: bench.cursor + 1, activation };
}

function preview(bench: Bench): Frame {
  const { labels } = next(bench);
  const { dtypeOfInput, batchSize, networkInputs } = bench.subject;
  const input = tensor(dtypeOfInput, batchSize, networkInputs, 0);
  return { kind: "preview", batch: bench.cursor + 1, labels, input };
}

function longer(bench: Bench): Buffer {
  return Buffer.concat([(next(bench).activation as Tensor).data, Buffer.alloc(1)]);
}

function withoutField(frame: Frame, name: string): Frame {
  return Object.fromEntries(Object.entries(frame).filter(([key]) => key !== name)) as unknown as Frame;
}

function withBatch(bench: Bench, value: Buffer): Buffer {
  return rawMap(entriesOf(next(bench)).map(([key, bytes]) => [key, key === "batch" ? value : bytes]));
}

function nested(depth: number): Buffer {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = { evaluation: value };
  return pack({ kind: "activation", activation: value });
}

/** By the formula of PROTOCOL.md, of what comes forward. */
function longest({ subject }: Bench): number {
  const { batchSize, inputs, labels, hasInput, networkInputs } = subject;
  const floats = inputs + labels + (hasInput ? networkInputs : 0);
  return Math.max(256 * 1024, batchSize * (floats + 1) * 4 + 4096);
}
