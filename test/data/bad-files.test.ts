import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram } from "../../services/cli/program.ts";
import { doubles, floats, longs, npyBytes, put } from "../support/data-files.ts";
import { testEdges } from "../support/edges.ts";

const root = mkdtempSync(join(tmpdir(), "bad-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let cases = 0;

/** Trains on data in a folder of its own, which is `HERE` in the config; what was said, and what was written. */
async function train(data: string, files: { readonly [name: string]: string | Uint8Array | undefined }) {
  const folder = join(root, String(cases++));
  mkdirSync(folder);
  for (const name of Object.keys(files)) put(join(folder, name), files[name]!);
  const config = put(
    join(folder, "my.yaml"),
    `data: ${data.replaceAll("HERE", folder)}\nlayers: [{ outputs: 8 }, { outputs: 2 }]\nrun: { batches: 3, batchSize: 4 }\n`,
  );
  const list = () => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const before = list();
  const said = { out: "", err: "" };
  const argv = ["train", config, "--runs", join(folder, "runs"), "--no-dashboard"];
  const code = await runProgram(argv, testEdges(said, "process.exit(78)"));
  return {
    code,
    err: said.err.replaceAll(`${folder}/`, ""),
    written: list().filter((file) => !before.includes(file)),
  };
}

const rows = (...lines: string[]) => `a,b,y\n${lines.join("\n")}\n`;
/** Twelve sound rows; `change` puts another in place of one, by its number from 0. */
const sound = (change: Readonly<Record<number, string>> = {}) =>
  rows(
    ...Array.from(
      { length: 12 },
      (_, row) => change[row] ?? `${row},${row % 2 ? "red" : "blue"},${row % 3 ? "no" : "yes"}`,
    ),
  );
const CSV = "{ set: csv, path: HERE/x.csv, label: y }";
const csv = (more: string) => `{ set: csv, path: HERE/x.csv, label: y, ${more} }`;
/** Rows as they are held out by the test file. */
const TWO = csv("test: HERE/t.csv");

type Case = readonly [
  what: string,
  data: string,
  files: Record<string, string | Uint8Array>,
  message: string | RegExp,
];

const tables: readonly Case[] = [
  ["no such file", CSV, {}, "Cannot read x.csv: no such file"],
  ["a folder", CSV, { "x.csv/y": "" }, "Cannot read x.csv: EISDIR"],
  ["an empty file", CSV, { "x.csv": "" }, "Cannot use x.csv: it is empty, expected a header"],
  ["a byte order mark and nothing else", CSV, { "x.csv": "\ufeff" }, "it is empty"],
  ["a header and no rows", CSV, { "x.csv": "a,b,y\n" }, "it has a header and no rows"],
  ["three rows", CSV, { "x.csv": rows("1,2,no", "2,3,yes", "3,4,no") }, "it has 3 rows, expected 4 or more"],
  [
    "a missing label column",
    csv("ignore: []").replace("label: y", "label: kind"),
    { "x.csv": sound() },
    "x.csv:1: it has no column kind for label, but a, b, y",
  ],
  [
    "a label in another case",
    CSV.replace("label: y", "label: Y"),
    { "x.csv": sound() },
    "it has no column Y for label",
  ],
  [
    "no label named",
    CSV.replace("label: y", "label: []"),
    { "x.csv": sound() },
    "data.label names no column",
  ],
  [
    "a label named twice",
    CSV.replace("label: y", "label: [y, y]"),
    { "x.csv": sound() },
    "names a column twice",
  ],
  ["no input left", csv("ignore: [a, b]"), { "x.csv": sound() }, "no column is left to be an input"],
  [
    "a column to ignore that is not there",
    csv("ignore: [c]"),
    { "x.csv": sound() },
    "it has no column c for ignore",
  ],
  [
    "the label among what is ignored",
    csv("ignore: [y]"),
    { "x.csv": sound() },
    "y is the label, and no input",
  ],
  [
    "a row with a cell too few",
    CSV,
    { "x.csv": sound({ 4: "4,red" }) },
    "x.csv:6: it has 2 cells, the header has 3",
  ],
  [
    "a row with a cell too many",
    CSV,
    { "x.csv": sound({ 4: "4,red,no,9" }) },
    "x.csv:6: it has 4 cells, the header has 3",
  ],
  [
    "a row cut short behind CRLF",
    CSV,
    { "x.csv": sound({ 4: "4,red" }).replaceAll("\n", "\r\n") },
    "x.csv:6: it has 2 cells",
  ],
  ["a decimal comma", CSV, { "x.csv": sound({ 4: "4,5,red,no" }) }, "x.csv:6: it has 4 cells"],
  [
    "a file of tabs read as commas",
    CSV,
    { "x.csv": sound().replaceAll(",", "\t") },
    "it has no column y for label",
  ],
  [
    "a file of commas read as tabs",
    CSV.replace("csv, path", "tsv, path"),
    { "x.csv": sound() },
    "it has no column y for label",
  ],
  [
    "a quote that is not closed",
    CSV,
    { "x.csv": sound({ 4: '4,"red,no' }) },
    /Cannot read x.csv:\d+:2: Quote Not Closed/,
  ],
  [
    "a quote within a cell",
    CSV,
    { "x.csv": sound({ 4: '4,r"ed,no' }) },
    /Cannot read x.csv:6:2: Invalid Opening Quote/,
  ],
  [
    "text behind a quote",
    CSV,
    { "x.csv": sound({ 4: '4,"re"d,no' }) },
    /Cannot read x.csv:6:2: Invalid Closing Quote/,
  ],
  [
    "two columns of one name",
    CSV,
    { "x.csv": sound().replace("a,b,y", "a,a,y") },
    "x.csv:1:2: there is a column a already, column 1",
  ],
  [
    "a column without a name",
    CSV,
    { "x.csv": sound().replace("a,b,y", "a,,y") },
    "x.csv:1:2: the column has no name",
  ],
  [
    "bytes that are no UTF-8",
    CSV,
    { "x.csv": Buffer.concat([Buffer.from(sound()), Buffer.from([0xff, 0xfe, 10])]) },
    "Cannot read x.csv:14: it is no UTF-8",
  ],
  ["UTF-16", CSV, { "x.csv": Buffer.from(`\ufeff${sound()}`, "utf16le") }, "it is UTF-16, expected UTF-8"],
  [
    "a program instead of a text",
    CSV,
    { "x.csv": Buffer.from("\x7fELF\x00\x01") },
    "byte 4 is 0, this is no text",
  ],
  [
    "NaN among numbers",
    CSV,
    { "x.csv": sound({ 4: "NaN,red,no" }) },
    'x.csv:6:1: a is "NaN", which is no number; where a value is missing leave it empty, or say NA',
  ],
  ["infinity among numbers", CSV, { "x.csv": sound({ 4: "-inf,red,no" }) }, 'x.csv:6:1: a is "-inf"'],
  [
    "a slip among numbers",
    CSV,
    { "x.csv": sound({ 4: "4O,red,no" }) },
    'x.csv:6:1: a is "4O", expected a number',
  ],
  [
    "a column that is always missing",
    CSV,
    { "x.csv": sound().replaceAll(/(red|blue)/g, "") },
    "b is missing in every training row, say ignore: [b]",
  ],
  [
    "numbers too large to standardise",
    CSV,
    { "x.csv": sound({ 4: "1e300,red,no", 5: "-1e300,red,no", 6: "1e300,red,no" }) },
    "the numbers of a are too large to standardise",
  ],
  ["a missing label", CSV, { "x.csv": sound({ 4: "4,red," }) }, 'x.csv:6:3: y is "", which is no label'],
  [
    "a label that is always the same",
    CSV,
    { "x.csv": sound().replaceAll("yes", "no") },
    'y is "no", as in all 10 training rows: there is nothing to learn',
  ],
  [
    "a class for each row",
    CSV,
    { "x.csv": rows(...Array.from({ length: 400 }, (_, row) => `1,${row},n${row}`)) },
    "y has 320 classes, at most 256; are they numbers? say task: regression",
  ],
  [
    "names for regression",
    csv("task: regression"),
    { "x.csv": sound() },
    /x.csv:\d+:3: y is "(yes|no)", expected a number to learn/,
  ],
  [
    "a price that is always the same",
    csv("task: regression"),
    { "x.csv": sound().replaceAll(/(yes|no)/g, "7.5") },
    'y is "7.5", as in all 10 training rows',
  ],
  [
    "numbers where labels are yes or no",
    csv("task: labels"),
    { "x.csv": sound({ 4: "4,red,2" }) },
    'x.csv:6:3: y is "2", expected 0 or 1, yes or no, true or false',
  ],
  [
    "classes in two columns",
    CSV.replace("label: y", "label: [b, y], task: classes"),
    { "x.csv": sound() },
    "classes are in one column, data.label names 2",
  ],
  [
    "a category that only held-out rows have",
    TWO,
    { "x.csv": sound(), "t.csv": rows("1,red,no", "2,teal,yes") },
    't.csv:3:2: b is "teal", expected one of blue, red; no training row has it: say unknown: zeros',
  ],
  [
    "a class that only held-out rows have",
    TWO,
    { "x.csv": sound(), "t.csv": rows("1,red,no", "2,red,maybe") },
    't.csv:3:3: y is "maybe", a class that no training row has',
  ],
  [
    "text that only held-out rows have among numbers",
    TWO,
    { "x.csv": sound(), "t.csv": rows("one,red,no") },
    't.csv:2:1: a is "one", expected a number',
  ],
  [
    "a held-out number far beyond all",
    TWO,
    { "x.csv": sound(), "t.csv": rows("1e12,red,no") },
    't.csv:2:1: a is "1e12", more than 1000000 deviations from the mean',
  ],
  [
    "a second file without a column",
    TWO,
    { "x.csv": sound(), "t.csv": "a,y\n1,no\n" },
    "Cannot use t.csv: it has no column b, x.csv has",
  ],
  ["no second file", TWO, { "x.csv": sound() }, "Cannot read t.csv: no such file"],
  [
    "a column of many names",
    CSV,
    { "x.csv": rows(...Array.from({ length: 400 }, (_, row) => `1,n${row},${row % 2 ? "no" : "yes"}`)) },
    "b has 320 different texts, at most 256 can be categories; say ignore: [b]",
  ],
  ["an entry that csv does not have", csv("labell: y"), { "x.csv": sound() }, "my.yaml:1:"],
  [
    "all rows held out",
    csv("heldOut: 1"),
    { "x.csv": sound() },
    "data.heldOut is 1: expected a number from 0.001 to 0.9",
  ],
  [
    "a head of another width",
    CSV,
    { "x.csv": sound({ 4: "4,red,maybe", 5: "5,red,maybe", 6: "5,red,maybe" }) },
    "the head gives 2 outputs, the labels of csv are 3 classes",
  ],
];

const NPY = "{ set: npy, path: HERE/x.npy, labels: HERE/y.npy }";
const y = npyBytes("<i8", [4], longs(0, 1, 0, 1));
const x = npyBytes("<f4", [4, 2], floats(1, 2, 3, 4, 5, 6, 7, 8));
const arrays: readonly Case[] = [
  ["no such file", NPY, { "y.npy": y }, "Cannot read x.npy: no such file"],
  ["no labels", NPY, { "x.npy": x }, "Cannot read y.npy: no such file"],
  ["a text", NPY, { "x.npy": "1,2\n3,4\n5,6\n", "y.npy": y }, "x.npy: it is no .npy file"],
  [
    "a file cut within its header",
    NPY,
    { "x.npy": x.subarray(0, 40), "y.npy": y },
    "it ends within its header",
  ],
  [
    "a file cut within its numbers",
    NPY,
    { "x.npy": x.subarray(0, x.length - 3), "y.npy": y },
    "bytes, its header promises",
  ],
  [
    "a version from the future",
    NPY,
    { "x.npy": Buffer.concat([x.subarray(0, 6), Buffer.from([9]), x.subarray(7)]), "y.npy": y },
    "its format has version 9",
  ],
  [
    "integers of 16 bits",
    NPY,
    { "x.npy": npyBytes("<i2", [4, 2], new Uint8Array(16)), "y.npy": y },
    "its numbers are <i2, expected <f4, <f8, |u1 or <i8",
  ],
  [
    "big-endian floats",
    NPY,
    { "x.npy": npyBytes(">f4", [4, 2], new Uint8Array(32)), "y.npy": y },
    "its numbers are >f4",
  ],
  [
    "Python objects",
    NPY,
    { "x.npy": npyBytes("|O", [4, 2], new Uint8Array(64)), "y.npy": y },
    "its numbers are |O",
  ],
  [
    "Fortran order",
    NPY,
    { "x.npy": npyBytes("<f4", [4, 2], floats(1, 2, 3, 4, 5, 6, 7, 8), "True"), "y.npy": y },
    "it is in Fortran order",
  ],
  ["0 rows", NPY, { "x.npy": npyBytes("<f4", [0, 2], floats()), "y.npy": y }, "it has 0 rows"],
  ["rows of nothing", NPY, { "x.npy": npyBytes("<f4", [4, 0], floats()), "y.npy": y }, "its rows are empty"],
  ["a single number", NPY, { "x.npy": npyBytes("<f4", [], floats(1)).subarray(0), "y.npy": y }, /x.npy/],
  [
    "labels of other rows",
    NPY,
    { "x.npy": x, "y.npy": npyBytes("<i8", [3], longs(0, 1, 0)) },
    "it has 4 rows, y.npy has 3",
  ],
  [
    "NaN in a row",
    NPY,
    { "x.npy": npyBytes("<f4", [4, 2], floats(1, 2, 3, 4, 5, Number.NaN, 7, 8)), "y.npy": y },
    "x.npy: row 2, column 1 is NaN",
  ],
  [
    "infinity in a row",
    NPY,
    { "x.npy": npyBytes("<f8", [4, 1], doubles(1, 2, 3, Number.POSITIVE_INFINITY)), "y.npy": y },
    "x.npy: row 3, column 0 is Infinity",
  ],
  [
    "a class below 0",
    NPY,
    { "x.npy": x, "y.npy": npyBytes("<i8", [4], longs(0, -1, 0, 1)) },
    "y.npy: row 1, column 0 is -1, expected a class from 0 to 255",
  ],
  [
    "a class that is no whole number",
    NPY.replace(" }", ", task: classes }"),
    { "x.npy": x, "y.npy": npyBytes("<f4", [4], floats(0, 1, 0.5, 1)) },
    "row 2, column 0 is 0.5",
  ],
  [
    "labels that are neither 0 nor 1",
    NPY,
    { "x.npy": x, "y.npy": npyBytes("|u1", [4, 2], Uint8Array.of(0, 1, 1, 0, 3, 1, 0, 0)) },
    "row 2, column 0 is 3, expected 0 or 1",
  ],
  [
    "values that are always the same",
    NPY,
    { "x.npy": x, "y.npy": npyBytes("<f4", [4], floats(2, 2, 2, 2)) },
    "column 0 is 2 in every training row",
  ],
];

const IMAGES = "{ set: images, path: HERE/p, height: 8, width: 8, cache: HERE/cache }";
const picture = (format: "png" | "jpeg") =>
  sharp(Buffer.alloc(300, 7), { raw: { width: 10, height: 10, channels: 3 } })
    .toFormat(format)
    .toBuffer();
const [png, jpeg] = [await picture("png"), await picture("jpeg")];
const pictures: readonly Case[] = [
  ["no such folder", IMAGES, {}, "Cannot read p: no such folder"],
  ["a file", IMAGES, { p: "x" }, "Cannot read p: it is no folder"],
  [
    "no classes",
    IMAGES,
    { "p/1.png": png, "p/2.png": png },
    "it has 0 folders, its pictures lie side by side",
  ],
  ["one class", IMAGES, { "p/a/1.png": png }, "it has 1 folders; expected a folder for each class"],
  [
    "an empty class",
    IMAGES,
    { "p/a/1.png": png, "p/b/notes.txt": "" },
    "Cannot use p/b: it has no PNG or JPEG, so the class is empty",
  ],
  [
    "a PNG cut short",
    IMAGES,
    { "p/a/1.png": png, "p/b/2.png": png.subarray(0, png.length - 30) },
    "Cannot decode p/b/2.png: ",
  ],
  [
    "a JPEG cut short",
    IMAGES,
    { "p/a/1.jpg": jpeg.subarray(0, 200), "p/b/2.png": png },
    "Cannot decode p/a/1.jpg: ",
  ],
  [
    "a text that is called .png",
    IMAGES,
    { "p/a/1.png": "hello", "p/b/2.png": png },
    "Cannot decode p/a/1.png: ",
  ],
  ["an empty file", IMAGES, { "p/a/1.png": "", "p/b/2.png": png }, "Cannot decode p/a/1.png: "],
  [
    "a folder that is called .png",
    IMAGES,
    { "p/a/1.png/x": "", "p/b/2.png": png },
    "Cannot decode p/a/1.png: ",
  ],
];

const TEXT = "{ set: text, path: HERE/x.txt, window: 4 }";
const text = (more: string) => TEXT.replace("window: 4", more);
const letters = { "x.txt": "ab".repeat(100) };
const texts: readonly Case[] = [
  ["no such file", TEXT, {}, "Cannot read x.txt: no such file"],
  ["an empty file", TEXT, { "x.txt": "" }, "it has 0 different characters, there is nothing to learn"],
  [
    "a single character",
    TEXT,
    { "x.txt": "a".repeat(100) },
    "it has 1 different characters, there is nothing to learn",
  ],
  [
    "a file whose held-out part is no longer than the window",
    TEXT,
    { "x.txt": "ab".repeat(20) },
    "Cannot use x.txt: its 40 ids leave a part of 4, a window takes 4 and one more",
  ],
  [
    "a window of nothing",
    text("window: 0"),
    letters,
    "data.window is 0: expected a whole number from 1 to 4096",
  ],
  ["half a window", text("window: 2.5"), letters, "data.window is 2.5: expected a whole number"],
  [
    "a window beside a context",
    text("window: 4, context: 4"),
    letters,
    "data.context is 4: an example has a context or a window",
  ],
  [
    "a window too wide for its bytes",
    text("window: 65, units: bytes"),
    letters,
    "data.window is 65: of 256 ids each it makes 16640 inputs, at most 16384",
  ],
  [
    "a head of another width",
    TEXT,
    { "x.txt": "abc".repeat(100) },
    "the head gives 2 outputs, the labels of text are 3 classes",
  ],
];

describe.each([
  ["a table", tables],
  ["an array", arrays],
  ["a folder of pictures", pictures],
  ["a text", texts],
])("training on %s is refused with its place, and writes nothing,", (_, table) => {
  it.each(table)("for %s", async (_, data, files, message) => {
    const { code, err, written } = await train(data, files);
    if (typeof message === "string") expect(err).toContain(message);
    else expect(err).toMatch(message);
    expect([code, written]).toEqual([78, []]);
  });
});

it("the same files begin to train where nothing is wrong with them", async () => {
  expect(tables.length + arrays.length + pictures.length).toBeGreaterThanOrEqual(60);
  for (const [data, files] of [
    [CSV, { "x.csv": `\ufeff${sound({ 4: '4,"red",no' }).replaceAll("\n", "\r\n")}` }],
    [NPY, { "x.npy": x, "y.npy": y }],
    [IMAGES, { "p/a/1.png": png, "p/b/2.jpg": jpeg }],
    [TEXT, letters],
  ] as const) {
    const { err, written } = await train(data, files);
    expect(err).not.toContain("Cannot use my.yaml");
    expect(written).toContain("runs");
  }
});
