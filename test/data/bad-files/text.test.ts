import { type Case, refused } from "./training.ts";

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

refused("a text", texts, [TEXT, letters]);
