/** What a scenario claims, and what came of it. */
export interface Finding {
  readonly claim: string;
  readonly bar: string;
  readonly measured: string;
  readonly met: boolean;
  /** A bound on time or a ratio: whether it is met, or missed by so little that a busy machine explains it. */
  readonly tolerable?: boolean;
}

/** By how much a busy machine may miss a bound on time. */
const PATIENCE = 6;

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** "p50 0.41 s, p99 1.20 s, most 1.30 s of 50" */
export function spread(ms: readonly number[]): string {
  if (ms.length === 0) return "none";
  return `p50 ${seconds(percentile(ms, 0.5))}, p99 ${seconds(percentile(ms, 0.99))}, most ${seconds(Math.max(...ms))} (of ${ms.length})`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function within(ms: readonly number[], bound: number, share = 1): boolean {
  return ms.length > 0 && percentile(ms, share) <= bound;
}

/** A ledger finding, of any number of runs. */
export function ledgerFinding(violations: readonly string[], runs: number): Finding {
  return {
    claim: "every layer learnt every batch once, in order; every run ended by itself",
    bar: "0 violations",
    measured:
      violations.length === 0
        ? `0 in ${runs} ${runs === 1 ? "run" : "runs"}`
        : violations.slice(0, 5).join("; "),
    met: violations.length === 0,
  };
}

/** Of times, against a bound that a share of them must keep. */
export function timeFinding(claim: string, ms: readonly number[], boundMs: number, share = 1): Finding {
  return {
    claim,
    bar: `${share < 1 ? `p${100 * share} ` : ""}at most ${seconds(boundMs)}`,
    measured: spread(ms),
    met: within(ms, boundMs, share),
    tolerable: within(ms, PATIENCE * boundMs, share),
  };
}
