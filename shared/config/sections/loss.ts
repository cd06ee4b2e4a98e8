import type { Loss } from "../../math/kernels.ts";
import { oneOf } from "../../schema/fields.ts";
import type { DataConfig } from "../config.ts";
import { type DataFacts, dataFacts } from "../data-facts.ts";
import type { Notes } from "../notes.ts";

const losses = [
  "softmax-cross-entropy",
  "sigmoid-cross-entropy",
  "mean-squared-error",
] as const satisfies readonly Loss[];

export const lossField = oneOf(losses)
  .optional()
  .describe(
    "Default softmax-cross-entropy for classes, sigmoid-cross-entropy for bits, mean-squared-error for values.",
  );

/** What labels are called, and the loss that fits them best. */
export const labelKinds = {
  class: { labels: "classes", loss: "softmax-cross-entropy" },
  bits: { labels: "bits", loss: "sigmoid-cross-entropy" },
  values: { labels: "values", loss: "mean-squared-error" },
} as const satisfies Readonly<Record<DataFacts["judged"], { labels: string; loss: Loss }>>;

export function completeLoss(written: Loss | undefined, data: DataConfig, notes: Notes): Loss {
  const { labels, loss: fit } = labelKinds[dataFacts(data).judged];
  const loss = written ?? fit;
  if (loss !== "mean-squared-error" && loss !== fit)
    notes.wrong(
      ["loss"],
      loss,
      `the labels of ${data.set} are ${labels}, which take ${[...new Set([fit, "mean-squared-error"])].join(" or ")}`,
    );
  return loss;
}
