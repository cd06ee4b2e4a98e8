import type { DataFacts } from "./data-set-kind.ts";

/** The text that inputs stand for: the ids of a sequence, or the characters of a window, one-hot. */
export function decodeText(
  { window, inputWidth, characters }: Pick<DataFacts, "window" | "inputWidth" | "characters">,
  inputs: ArrayLike<number>,
): string {
  const vocabulary = inputWidth / (window ?? 1);
  const ids = Array.from(inputs).flatMap((value, at) => {
    if (window === undefined) return [value];
    return value === 1 ? [at % vocabulary] : [];
  });
  if (characters === undefined) return new TextDecoder().decode(Uint8Array.from(ids));
  const letters = [...characters];
  return ids.map((id) => letters[id]).join("");
}
