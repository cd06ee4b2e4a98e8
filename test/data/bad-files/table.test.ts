import { type Case, refused } from "./training.ts";

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

refused("a table", tables, [
  CSV,
  { "x.csv": `\ufeff${sound({ 4: '4,"red",no' }).replaceAll("\n", "\r\n")}` },
]);
