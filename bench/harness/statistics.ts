/** A figure over several rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: median(sorted), least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

/** The mean of the two in the middle, where there are two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[half]!;
  return sorted.length === 0 ? Number.NaN : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** `one` against `other`, round by round: what slowed both in a round cancels. */
export function ratioOf(one: readonly number[], other: readonly number[]): Spread {
  return spreadOf(one.map((value, round) => value / other[round]!));
}

export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/**
 * Measures every candidate once in each round, one after another, so that a busy machine slows all of them; every other
 * round goes backwards. The first `warmUp` rounds count for nothing.
 */
export async function alternate<Name extends string>(
  candidates: Readonly<Record<Name, () => Promise<number>>>,
  { rounds, warmUp = 0 }: { readonly rounds: number; readonly warmUp?: number },
): Promise<Rounds<Name>> {
  const names = Object.keys(candidates) as Name[];
  const found = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const value = await candidates[name]();
      if (round >= 0) found[name].push(value);
    }
  }
  return found;
}
