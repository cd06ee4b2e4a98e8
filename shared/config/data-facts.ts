import type { DataConfig, DataFacts } from "../data/data-set-kind.ts";
import { dataSetKindOf } from "../data/kinds.ts";

export type { DataFacts } from "../data/data-set-kind.ts";

/** What is known of a data set before any of its files is read. */
export function dataFacts(data: DataConfig): DataFacts {
  return dataSetKindOf(data).facts(data);
}

/** Batches in one pass over the training data, the last one short; undefined for an endless stream. */
export function batchesPerEpoch(data: DataConfig, batchSize: number): number | undefined {
  const { trainingExamples } = dataFacts(data);
  return trainingExamples === undefined ? undefined : Math.ceil(trainingExamples / batchSize);
}
