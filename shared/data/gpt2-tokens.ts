import { createRequire } from "node:module";

/**
 * The first so many tokens of GPT-2. These are the 256 bytes and the first merges of its byte-pair encoding, in the order in
 * which merges are made, so they encode every text by themselves: a token beyond them is the parts it would be merged of.
 * The package is loaded at first use, the table (10 MiB) by whatever needs names, the encoder only by what encodes.
 */
export const ALL_TOKENS = 50_256;
export const BYTES = 256;

type Table = readonly (string | readonly number[])[];
type Encoder = {
  encode(text: string, options: { readonly disallowedSpecial: ReadonlySet<string> }): number[];
};

const load = createRequire(import.meta.url);
const utf8 = new TextEncoder();
let names: readonly string[] | undefined;

/** The bytes of each, as a text with a character from U+0000 to U+00FF for each byte. */
export function tokenNames(count: number): readonly string[] {
  names ??= (load("gpt-tokenizer/bpeRanks/r50k_base") as { readonly default: Table }).default.map((token) =>
    String.fromCharCode(...(typeof token === "string" ? utf8.encode(token) : token)),
  );
  return names.slice(0, count);
}

/** Ids of any text, below `count`, which is 256 to ALL_TOKENS. Words that stand for something elsewhere are text here. */
export function encodeTokens(text: string, count: number): number[] {
  const { encode } = load("gpt-tokenizer/encoding/r50k_base") as Encoder;
  const whole = encode(text, { disallowedSpecial: new Set() });
  const ranks = new Map(tokenNames(count).map((name, rank) => [name, rank]));
  const known = new Map<number, readonly number[]>();
  const partsOf = (id: number) => {
    const parts = known.get(id) ?? merged(names![id]!, ranks);
    known.set(id, parts);
    return parts;
  };
  return whole.flatMap((id) => (id < count ? id : partsOf(id)));
}

/** Byte-pair encoding: of all neighbours that make a known token, those of the lowest rank are merged first, left to right. */
function merged(bytes: string, ranks: ReadonlyMap<string, number>): number[] {
  const parts = [...bytes];
  for (;;) {
    let [best, at] = [Number.POSITIVE_INFINITY, -1];
    for (let place = 0; place + 1 < parts.length; place++) {
      const rank = ranks.get(parts[place]! + parts[place + 1]!) ?? Number.POSITIVE_INFINITY;
      if (rank < best) [best, at] = [rank, place];
    }
    if (at === -1) return parts.map((part) => ranks.get(part)!);
    parts.splice(at, 2, parts[at]! + parts[at + 1]!);
  }
}
