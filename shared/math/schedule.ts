/** A learning rate and how it changes over the run. */
export interface RateOptions {
  readonly rate: number;
  readonly schedule: Schedule;
}

export type Schedule =
  | { readonly kind: "constant" }
  /** `warmup`: batches over which it rises; `floor`: the share of the rate that is left at the end. */
  | { readonly kind: "cosine"; readonly warmup?: number; readonly floor?: number }
  | { readonly kind: "step"; readonly at: readonly number[]; readonly factor: number };

/** The rate for batch `batch` (0, 1, 2, …) of a run of `batches`; past the end it stays as at the end. */
export function rateAt(options: RateOptions, batch: number, batches: number): number {
  const { rate, schedule } = options;
  switch (schedule.kind) {
    case "constant":
      return rate;
    case "cosine":
      return cosine(rate, schedule, Math.min(batch, batches), batches);
    case "step":
      return rate * schedule.factor ** schedule.at.filter((at) => at <= batch).length;
  }
}

function cosine(
  rate: number,
  { warmup = 0, floor = 0 }: { readonly warmup?: number; readonly floor?: number },
  batch: number,
  batches: number,
): number {
  if (batch < warmup) return (rate * (batch + 1)) / (warmup + 1);
  // A run may be shorter than its warm-up.
  const share = (batch - warmup) / Math.max(1, batches - warmup);
  const fall = (rate / 2) * (1 + Math.cos(Math.PI * share));
  return floor === 0 ? fall : rate * floor + (1 - floor) * fall;
}
