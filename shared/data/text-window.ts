import type { Batch } from "./data-set.ts";
import { type DataFacts, numbered } from "./data-set-kind.ts";
import { idNames } from "./decode-text.ts";
import { encodeText } from "./encode.ts";
import { TextPlaces } from "./text-places.ts";

type Told = Pick<DataFacts, "window" | "inputWidth" | "characters">;

interface WindowSizes {
  readonly vocabulary: number;
  /** Characters of an example. */
  readonly window: number;
  /** Ids before this one are trained on. Both parts have more ids than a window. */
  readonly split: number;
  /** Examples to evaluate on, at most. */
  readonly windows: number;
}

/** `characters`: the vocabulary; bytes where there is none. */
export function windowFacts(window: number, characters: string | undefined): DataFacts {
  const labels = characters === undefined ? numbered(256) : [...characters].map((name) => ({ name }));
  return {
    inputWidth: window * labels.length,
    window,
    labelWidth: labels.length,
    inputType: "u8",
    judged: "class",
    trainingExamples: undefined,
    labels,
    ...(characters !== undefined && { characters }),
  };
}

/**
 * Input: the last `window` ids, one-hot, the oldest first; label: the id after them. Training examples are drawn by
 * seed and number of the batch; those of an evaluation are evenly spread over what is held out.
 */
export class NextCharacters extends TextPlaces {
  readonly #ids: Uint8Array;
  readonly #sizes: WindowSizes;

  constructor(ids: Uint8Array, sizes: WindowSizes) {
    const { window, split, windows } = sizes;
    const most = ids.length - split - window;
    const count = Math.min(windows, most);
    const heldOut = Array.from({ length: count }, (_, index) => split + Math.floor((index * most) / count));
    super(split - window, heldOut);
    this.#ids = ids;
    this.#sizes = sizes;
  }

  protected write(starts: readonly number[]): Batch {
    const { window, vocabulary } = this.#sizes;
    const rows = starts.length;
    const input = new Uint8Array(rows * window * vocabulary);
    const labels = new Uint8Array(rows);
    for (const [row, start] of starts.entries()) {
      for (let place = 0; place < window; place++)
        input[(row * window + place) * vocabulary + this.#ids[start + place]!] = 1;
      labels[row] = this.#ids[start + window]!;
    }
    return { rows, input, labels };
  }
}

/** The last `count` of these ids; fewer have new lines before them. */
export function lastIds(
  units: Pick<DataFacts, "characters" | "tokens">,
  ids: readonly number[],
  count: number,
): number[] {
  const names = idNames(units);
  const newline = names ? Math.max(0, names.indexOf("\n")) : 10;
  const missing = Array.from({ length: Math.max(0, count - ids.length) }, () => newline);
  return [...missing, ...ids.slice(-count)];
}

/** What the network takes for a text: its last characters, one-hot. Throws an EncodeError that names the character. */
export function encodeWindow(facts: Told & { readonly window: number }, text: string): Float32Array {
  return windowOf(facts, [...encodeText(facts, text)]);
}

/** The last of these ids, one-hot. Each is below the vocabulary. */
export function windowOf(facts: Told & { readonly window: number }, ids: readonly number[]): Float32Array {
  const inputs = new Float32Array(facts.inputWidth);
  const vocabulary = facts.inputWidth / facts.window;
  lastIds(facts, ids, facts.window).forEach((id, place) => {
    inputs[place * vocabulary + id] = 1;
  });
  return inputs;
}
