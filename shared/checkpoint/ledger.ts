/** Batches `first` to `last`, both included. */
export type Range = readonly [first: number, last: number];

/** Which batches are in the weights: the witness for "every batch exactly once, in order". */
export interface Ledger {
  readonly ranges: readonly Range[];
}

export const emptyLedger: Ledger = { ranges: [] };

/** The ledger with `batch` in it. Throws when it is in already, and when it is not the next one. */
export function apply(ledger: Ledger, batch: number): Ledger {
  if (ledger.ranges.some(([first, last]) => first <= batch && batch <= last)) {
    throw new Error(`Cannot apply batch ${batch}: it is already applied`);
  }
  const next = cursorOf(ledger) + 1;
  if (batch !== next) throw new Error(`Cannot apply batch ${batch}: the next one is ${next}`);
  const last = ledger.ranges.at(-1);
  if (!last) return { ranges: [[batch, batch]] };
  return { ranges: [...ledger.ranges.slice(0, -1), [last[0], batch]] };
}

/** The last batch applied, −1 before the first. */
export function cursorOf(ledger: Ledger): number {
  return ledger.ranges.at(-1)?.[1] ?? -1;
}

/** As reported and saved. */
export function toRanges(ledger: Ledger): readonly Range[] {
  return ledger.ranges;
}

/** Throws unless `ranges` is a list of [first, last]. Holes and overlaps are taken as they are: `check` finds them. */
export function fromRanges(ranges: unknown): Ledger {
  if (!Array.isArray(ranges)) throw new Error(`Cannot read ledger: ${JSON.stringify(ranges)} is not a list`);
  return { ranges: ranges.map(readRange) };
}

function readRange(range: unknown): Range {
  const [first, last] = Array.isArray(range) && range.length === 2 ? range : [];
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 0 || last < first) {
    throw new Error(`Cannot read ledger: ${JSON.stringify(range)} is not a range`);
  }
  return [first, last];
}

/** What speaks against "batches 0 to `batches` − 1, each once, in order"; empty when nothing does. */
export function check(ledger: Ledger, batches: number): string[] {
  const violations: string[] = [];
  let next = 0;
  for (const [first, last] of ledger.ranges) {
    if (first > next) violations.push(`batches ${next} to ${first - 1} were not applied before ${first}`);
    if (first < next) violations.push(`batches ${first} to ${Math.min(last, next - 1)} were applied again`);
    next = Math.max(next, last + 1);
  }
  if (next < batches) violations.push(`batches ${next} to ${batches - 1} were never applied`);
  if (next > batches) violations.push(`batch ${next - 1} was applied, the run has ${batches}`);
  return violations;
}
