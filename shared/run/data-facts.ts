import type { DataConfig } from "../data/data-config.ts";

/** What is known of a data set before any of its files is read. */
export interface DataFacts {
  readonly inputWidth: number;
  readonly labelWidth: number;
  readonly judged: "class" | "bits";
  /** Undefined for an endless stream. */
  readonly trainingExamples: number | undefined;
}

export function dataFacts(data: DataConfig): DataFacts {
  switch (data.set) {
    case "mnist":
      return { inputWidth: 784, labelWidth: 10, judged: "class", trainingExamples: 60_000 };
    case "binary-addition":
      return endless(2 * data.bits, data.bits + 1, "bits");
    case "two-rings":
      return endless(2, 2, "class");
  }
}

/** Batches in one pass over the training data, the last one short; undefined for an endless stream. */
export function batchesPerEpoch(data: DataConfig, batchSize: number): number | undefined {
  const { trainingExamples } = dataFacts(data);
  return trainingExamples === undefined ? undefined : Math.ceil(trainingExamples / batchSize);
}

function endless(inputWidth: number, labelWidth: number, judged: "class" | "bits"): DataFacts {
  return { inputWidth, labelWidth, judged, trainingExamples: undefined };
}
