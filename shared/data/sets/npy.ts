import {
  above,
  anyNumber,
  listOf,
  map,
  numberFrom,
  oneOf,
  type Read,
  text,
  wholeFrom,
} from "../../schema/fields.ts";
import { DataFileError } from "../data-file.ts";
import type { Batch } from "../data-set.ts";
import { dataSetKind, type LabelFacts, numbered } from "../data-set-kind.ts";
import { Examples, heldOutCount } from "../examples.ts";
import { NpyFile } from "../npy-file.ts";
import { RowsSet } from "../rows-set.ts";

const tasks = ["classes", "labels", "regression"] as const;
const shape = () => listOf("sizes", wholeFrom(1));

/** What is known of the files once they were looked at. */
const found = map({
  shape: shape().describe("Of the inputs: rows, and what a row is made of."),
  bytes: oneOf(["u8", "f32"]).describe("What inputs travel as."),
  task: oneOf(tasks).describe("What the labels are."),
  labels: listOf(
    "labels",
    map({ name: text("a name"), mean: anyNumber().optional(), deviation: above(0).optional() }),
  ).describe("What each output stands for."),
});

const fields = {
  path: text("a .npy file").describe(
    "The inputs, an example a row: float32, float64, uint8 or int64, in C order. They are taken as they are; uint8 is divided by 255. Read by position, so that it may be larger than the memory.",
  ),
  labels: text("a .npy file").describe(
    "As many rows: one whole number each (classes, from 0), 0 and 1 (labels), or floats (regression).",
  ),
  task: oneOf(tasks)
    .optional()
    .describe("Default: floats are for regression, one whole number a row is a class, several are labels."),
  heldOut: numberFrom(0.000001, 0.9)
    .default(0.1)
    .describe("Share of the rows to evaluate on and never train on."),
  seed: wholeFrom(0).default(0).describe("Which rows those are follows from it."),
  found: found.optional().describe("What was found when the run began; the run's config.yaml has it."),
};

type Written = Read<typeof fields>;
type Found = NonNullable<Written["found"]>;
type Complete = Written & { readonly found: Found };

export const npy = dataSetKind<typeof fields, Complete>({
  about: "Arrays of NumPy, one file of inputs and one of labels; as large as the disk.",
  fields,

  async look(written) {
    return written.found ? {} : { found: lookAt(written) };
  },

  complete(written, refuse) {
    const { found } = written;
    if (found) return { ...written, found };
    refuse("found", undefined, "the files were not looked at, as they are where a run begins");
    return undefined;
  },

  facts({ heldOut, found: { shape, bytes, task, labels } }) {
    const [rows = 0, ...row] = shape;
    const [height, width, channels = 1] = row;
    return {
      inputWidth: widthOf(shape),
      // A picture, or several planes of one, in the order of NumPy's pictures: rows × columns × channels.
      ...(height && width && row.length <= 3 && { image: { height, width, channels } }),
      labelWidth: labels.length,
      inputType: bytes,
      ...(bytes === "u8" && { inputScale: 1 / 255 }),
      judged: ({ classes: "class", labels: "bits", regression: "values" } as const)[task],
      trainingExamples: rows - heldOutCount(rows, heldOut),
      labels,
    };
  },

  open(data) {
    const set = new NpySet(data);
    set.check();
    return set;
  },
});

function lookAt(written: Written): Found {
  const inputs = NpyFile.open(written.path);
  const labels = NpyFile.open(written.labels);
  try {
    if (inputs.rows !== labels.rows)
      throw new DataFileError(
        `Cannot use ${written.path}: it has ${inputs.rows} rows, ${written.labels} has ${labels.rows}`,
      );
    if (inputs.rows < 2)
      throw new DataFileError(`Cannot use ${written.path}: it has 1 row, expected 2 or more`);
    if (inputs.type !== "|u1" && inputs.bytes <= READ_THROUGH) readThrough(inputs);
    const task = written.task ?? taskOf(labels);
    const bytes = inputs.type === "|u1" ? "u8" : "f32";
    return { shape: [...inputs.shape], bytes, task, labels: learnLabels(labels, task, written) };
  } finally {
    inputs.close();
    labels.close();
  }
}

/** Every number is looked at, unless that would take long; of larger files each row is when it is read. */
const READ_THROUGH = 2 ** 30;

function readThrough(file: NpyFile): void {
  const row = new Float64Array(file.width);
  for (let index = 0; index < file.rows; index++) file.readRow(index, row, 0);
}

function taskOf({ type, width }: NpyFile): Found["task"] {
  if (type === "<f4" || type === "<f8") return "regression";
  return width === 1 ? "classes" : "labels";
}

const MOST_CLASSES = 256;

/** Reads every label once, and keeps none. Throws a DataFileError that names the row. */
function learnLabels(file: NpyFile, task: Found["task"], written: Written): LabelFacts[] {
  const { path, width, rows } = file;
  if (task === "classes" && width !== 1)
    throw new DataFileError(`Cannot use ${path}: its rows have ${width} numbers, a class is one`);
  const examples = examplesOf(rows, written);
  const sums = Array.from({ length: width }, () => new Moments());
  const row = new Float64Array(width);
  for (let index = 0; index < rows; index++) {
    file.readRow(index, row, 0);
    const wrong = task === "regression" ? -1 : row.findIndex((value) => !isLabel(value, task));
    if (wrong !== -1)
      throw new DataFileError(
        `Cannot use ${path}: row ${index}, column ${wrong} is ${row[wrong]}, expected ${task === "classes" ? `a class from 0 to ${MOST_CLASSES - 1}` : "0 or 1"}`,
      );
    for (let column = 0; column < width; column++) sums[column]!.all(row[column]!);
  }
  for (let index = 0; index < examples.training; index++) {
    file.readRow(examples.trainingRow(index), row, 0);
    for (let column = 0; column < width; column++) sums[column]!.add(row[column]!);
  }
  const constant = sums.findIndex((each) => each.least === each.most);
  if (constant !== -1)
    throw new DataFileError(
      `Cannot use ${path}: column ${constant} is ${sums[constant]!.least} in every training row, there is nothing to learn`,
    );
  if (task === "classes") return numbered(sums[0]!.highest + 1);
  return sums.map((each, index) => ({
    name: String(index),
    ...(task === "regression" && { mean: each.mean, deviation: each.deviation }),
  }));
}

function isLabel(value: number, task: Found["task"]): boolean {
  if (task === "labels") return value === 0 || value === 1;
  return Number.isInteger(value) && value >= 0 && value < MOST_CLASSES;
}

/** Mean and deviation in one pass (Welford 1962), of the training rows; `highest` of all. */
class Moments {
  mean = 0;
  least = Number.POSITIVE_INFINITY;
  most = Number.NEGATIVE_INFINITY;
  highest = 0;
  #count = 0;
  #squares = 0;

  all(value: number): void {
    this.highest = Math.max(this.highest, value);
  }

  add(value: number): void {
    this.#count++;
    const before = value - this.mean;
    this.mean += before / this.#count;
    this.#squares += before * (value - this.mean);
    this.least = Math.min(this.least, value);
    this.most = Math.max(this.most, value);
  }

  get deviation(): number {
    return Math.sqrt(this.#squares / this.#count);
  }
}

function examplesOf(rows: number, { heldOut, seed }: Pick<Written, "heldOut" | "seed">): Examples {
  return new Examples(rows, { count: heldOutCount(rows, heldOut), seed });
}

function widthOf([, ...row]: readonly number[]): number {
  return row.reduce((all, size) => all * size, 1);
}

/** The rows of both files, read when they are asked for. */
class NpySet extends RowsSet {
  readonly #inputs: NpyFile;
  readonly #labels: NpyFile;
  readonly #data: Complete;
  readonly #label: Float64Array;

  /** Throws a DataFileError where they are not what was found when the run began. */
  constructor(data: Complete) {
    const { found } = data;
    const inputs = NpyFile.open(data.path);
    const labels = NpyFile.open(data.labels);
    const sizes = inputs.shape.join(" × ");
    if (sizes !== found.shape.join(" × ") || labels.rows !== inputs.rows)
      throw new DataFileError(`Cannot use ${data.path}: it has changed since this run began, it is ${sizes}`);
    super(found.bytes === "u8" ? 1 / 255 : 1, examplesOf(inputs.rows, data));
    this.#data = data;
    this.#inputs = inputs;
    this.#labels = labels;
    this.#label = new Float64Array(labels.width);
  }

  /** Throws a DataFileError at the first number of a held-out row that is none; of training rows when they are read. */
  check(): void {
    const parts = Math.min(this.evaluationParts(64), 16);
    for (let part = 0; part < parts; part++) this.evaluationPart(part, 64);
  }

  protected gather(rows: readonly number[]): Batch {
    const { bytes, task, labels: facts } = this.#data.found;
    const width = this.#inputs.width;
    const input = new (bytes === "u8" ? Uint8Array : Float32Array)(rows.length * width);
    const columns = task === "classes" ? 1 : facts.length;
    const labels = new (task === "regression" ? Float32Array : Uint8Array)(rows.length * columns);
    rows.forEach((from, row) => {
      this.#inputs.readRow(from, input, row * width);
      this.#labels.readRow(from, this.#label, 0);
      const at = row * columns;
      if (task === "classes") labels[at] = this.#label[0]!;
      else
        facts.forEach(({ mean = 0, deviation = 1 }, column) => {
          labels[at + column] = (this.#label[column]! - mean) / deviation;
        });
    });
    return { rows: rows.length, input, labels };
  }
}
