import type { DataFacts } from "./data-set-kind.ts";

/** What says which text an id stands for; bytes where neither is there. */
type Units = Pick<DataFacts, "characters" | "tokens">;

/** What each id stands for, as a text; undefined where ids are bytes. */
export function idNames({ characters, tokens }: Units): readonly string[] | undefined {
  return tokens ?? (characters === undefined ? undefined : [...characters]);
}

/** The text that inputs stand for: the ids of a sequence, or the characters of a window, one-hot. */
export function decodeText(
  { window, inputWidth, ...units }: Units & Pick<DataFacts, "window" | "inputWidth">,
  inputs: ArrayLike<number>,
): string {
  const vocabulary = inputWidth / (window ?? 1);
  const ids = Array.from(inputs).flatMap((value, at) => {
    if (window === undefined) return [value];
    return value === 1 ? [at % vocabulary] : [];
  });
  const { characters, tokens } = units;
  if (characters !== undefined) {
    const letters = [...characters];
    return ids.map((id) => letters[id]).join("");
  }
  const bytes = tokens === undefined ? ids : ids.flatMap((id) => bytesOf(tokens[id]!));
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** Ids → text, as they come; bytes that are no whole character wait for the next. */
export function textDecoder({ characters, tokens }: Units): (id: number) => string {
  if (characters !== undefined) {
    const letters = [...characters];
    return (id) => letters[id]!;
  }
  const decoder = new TextDecoder();
  const decode = (bytes: readonly number[]) => decoder.decode(Uint8Array.from(bytes), { stream: true });
  return tokens === undefined ? (byte) => decode([byte]) : (id) => decode(bytesOf(tokens[id]!));
}

/** Each character of a token stands for one byte. */
function bytesOf(token: string): number[] {
  return Array.from(token, (character) => character.charCodeAt(0));
}
