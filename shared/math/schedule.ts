/** A learning rate and how it changes over the run. */
export interface RateOptions {
  readonly rate: number;
  readonly schedule: Schedule;
}

export type Schedule =
  | { readonly kind: "constant" }
  | { readonly kind: "cosine" }
  | { readonly kind: "step"; readonly at: readonly number[]; readonly factor: number };

/** The rate for batch `batch` (0, 1, 2, …) of a run of `batches`; past the end it stays as at the end. */
export function rateAt(options: RateOptions, batch: number, batches: number): number {
  const { rate, schedule } = options;
  switch (schedule.kind) {
    case "constant":
      return rate;
    case "cosine":
      return (rate / 2) * (1 + Math.cos((Math.PI * Math.min(batch, batches)) / batches));
    case "step":
      return rate * schedule.factor ** schedule.at.filter((at) => at <= batch).length;
  }
}
