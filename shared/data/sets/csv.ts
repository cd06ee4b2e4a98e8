import {
  above,
  anyNumber,
  either,
  listOf,
  map,
  numberFrom,
  oneOf,
  type Read,
  text,
  wholeFrom,
} from "../../schema/fields.ts";
import { DataFileError } from "../data-file.ts";
import { type DataSetKind, dataSetKind } from "../data-set-kind.ts";
import { Examples, heldOutCount } from "../examples.ts";
import { columnField, widthOf } from "../table/column.ts";
import { learnColumns } from "../table/learn-inputs.ts";
import { judgedOf, learnLabels, tasks } from "../table/learn-labels.ts";
import { readTable, type Table } from "../table/read-table.ts";
import { type Places, TableSet } from "../table/table-set.ts";

/** Fewer say nothing, and leave nothing to hold out. */
const LEAST_ROWS = 4;
/** What is known of each stands in the run's config, which every worker is told. */
const MOST_INPUTS = 4096;

const names = (what: string) => listOf(what, text("the name of a column"));

/** What was learnt of the file, so that nobody has to look again: of the training rows alone. */
const found = map({
  digest: text("SHA-256 of the bytes").describe("Of the file, or of both; another file is refused."),
  training: wholeFrom(1).describe("Rows to train on."),
  heldOut: wholeFrom(1).describe("Rows to evaluate on."),
  task: oneOf(tasks).describe("What the labels are."),
  columns: listOf("columns", columnField).describe("How each column becomes inputs."),
  labels: listOf(
    "labels",
    map({ name: text("a name"), mean: anyNumber().optional(), deviation: above(0).optional() }),
  ).describe("What each output stands for."),
});

const fields = {
  path: text("a file").describe("The file, UTF-8, with a header; plain or .gz."),
  test: text("a file")
    .optional()
    .describe("A second file with the same columns to evaluate on, instead of a part of the first."),
  label: either("the name of a column, or a list of names", text("a name"), names("names")).describe(
    "What to learn, by the names of columns; all others are inputs.",
  ),
  task: oneOf(tasks)
    .optional()
    .describe(
      "classes: one of several. labels: several columns of 0 and 1. regression: numbers. Default: text, and whole numbers with at most 20 different values, are classes; several columns of 0 and 1 labels; all else regression.",
    ),
  ignore: names("columns")
    .default([])
    .describe("Columns that are no inputs: numbers of rows, say, and names."),
  categories: names("columns")
    .default([])
    .describe("Columns whose numbers are names of something, such as postcodes; text is so anyway."),
  unknown: oneOf(["refuse", "zeros"])
    .default("refuse")
    .describe("What becomes of a category that no training row has: a mistake, or all zeros."),
  heldOut: numberFrom(0.001, 0.9)
    .default(0.2)
    .describe("Share of the rows to evaluate on and never train on; not with `test`."),
  seed: wholeFrom(0).default(0).describe("Which rows those are follows from it."),
  found: found
    .optional()
    .describe("What was found in the file when the run began; the run's config.yaml has it."),
};

/** As a config says it, and as a run's config.yaml does: what was found stands in it. */
type Written = Read<typeof fields>;
type Found = NonNullable<Written["found"]>;
type Complete = Written & { readonly found: Found };

export const csv = tableKind(
  ",",
  "Rows of a file with commas: its columns become inputs, and one or more of them labels.",
);
export const tsv = tableKind("\t", "The same with tabs.");

function tableKind(separator: string, about: string): DataSetKind {
  return dataSetKind<typeof fields, Complete>({
    about,
    fields,

    async look(written) {
      return written.found
        ? {}
        : { found: lookAt(written, readTable(written.path, written.test, separator)) };
    },

    complete(written, refuse) {
      const { found } = written;
      if (found) return { ...written, found };
      refuse("found", undefined, "the file was not looked at, as it is where a run begins");
      return undefined;
    },

    facts({ found: { columns, labels, task, training } }) {
      return {
        inputWidth: columns.reduce((sum, column) => sum + widthOf(column), 0),
        labelWidth: labels.length,
        inputType: "f32",
        judged: judgedOf(task),
        trainingExamples: training,
        columns,
        labels,
      };
    },

    open(data) {
      const table = readTable(data.path, data.test, separator);
      const { digest, columns, task, labels } = data.found;
      if (table.digest !== digest)
        throw new DataFileError(`Cannot use ${data.path}: it has changed since this run began`);
      const examples = examplesOf(table, data);
      return new TableSet(table, placesOf(table, data), columns, { task, labels }, examples);
    },
  });
}

function lookAt(written: Written, table: Table): Found {
  const places = placesOf(table, written);
  if (written.test === undefined && table.rows.length < LEAST_ROWS)
    throw new DataFileError(
      `Cannot use ${written.path}: it has ${table.rows.length} rows, expected ${LEAST_ROWS} or more`,
    );
  const examples = examplesOf(table, written);
  const training = Array.from({ length: examples.training }, (_, index) => examples.trainingRow(index));
  const { task, labels } = learnLabels(table, places.labels, training, written.task);
  const columns = learnColumns(table, places.inputs, training, written);
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  if (width > MOST_INPUTS)
    throw new DataFileError(
      `Cannot use ${written.path}: its columns become ${width} inputs, at most ${MOST_INPUTS}`,
    );
  const sizes = { training: examples.training, heldOut: examples.heldOut };
  return { digest: table.digest, ...sizes, task, columns: columns as Found["columns"], labels: [...labels] };
}

function examplesOf({ rows, firstRows }: Table, { test, heldOut, seed }: Written): Examples {
  if (test !== undefined) return new Examples(rows.length, { last: rows.length - firstRows });
  return new Examples(rows.length, { count: heldOutCount(rows.length, heldOut), seed });
}

/** Throws a DataFileError for names that the header has not, or that say two things of one column. */
function placesOf({ header }: Table, { path, label, task, ignore, categories }: Written): Places {
  const labels = typeof label === "string" ? [label] : label;
  const placeOf = (entry: string) => (name: string) => {
    const place = header.indexOf(name);
    if (place !== -1) return place;
    const has = header.length > 12 ? `${header.slice(0, 12).join(", ")}, …` : header.join(", ");
    throw new DataFileError(`Cannot use ${path}:1: it has no column ${name} for ${entry}, but ${has}`);
  };
  const places = labels.map(placeOf("label"));
  const ignored = ignore.map(placeOf("ignore"));
  categories.forEach(placeOf("categories"));
  if (labels.length === 0) throw new DataFileError(`Cannot use ${path}: data.label names no column`);
  if (new Set(labels).size < labels.length)
    throw new DataFileError(`Cannot use ${path}: data.label names a column twice`);
  const both = [...ignore, ...categories].find((name) => labels.includes(name));
  if (both !== undefined) throw new DataFileError(`Cannot use ${path}: ${both} is the label, and no input`);
  if (task === "classes" && labels.length > 1)
    throw new DataFileError(
      `Cannot use ${path}: classes are in one column, data.label names ${labels.length}`,
    );
  const inputs = [...header.keys()].filter((place) => !places.includes(place) && !ignored.includes(place));
  if (inputs.length === 0) throw new DataFileError(`Cannot use ${path}: no column is left to be an input`);
  return { inputs, labels: places };
}
