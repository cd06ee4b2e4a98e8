/** The word that takes the fewest edits to become, if fewer than half its letters; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, edits: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((one, other) => one.edits - other.edits);
  const best = ranked[0];
  return best && 2 * best.edits < Math.max(word.length, best.candidate.length) ? best.candidate : undefined;
}

/** Insertions, deletions and replacements between two words (Levenshtein 1966). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const letter of from) {
    const above = row;
    row = [above[0]! + 1];
    for (let index = 0; index < to.length; index++) {
      const replaced = above[index]! + (letter === to[index] ? 0 : 1);
      row.push(Math.min(replaced, above[index + 1]! + 1, row[index]! + 1));
    }
  }
  return row[to.length]!;
}
