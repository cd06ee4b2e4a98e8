import type { DataConfig } from "../data/data-config.ts";

export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** What is known of a data set before any of its files is read. */
export interface DataFacts {
  readonly inputWidth: number;
  /** What the inputs are, if they are images: height × width × channels. */
  readonly image?: ImageSize;
  readonly labelWidth: number;
  /** Inputs travel as bytes, or as floats. */
  readonly inputType: "u8" | "f32";
  readonly judged: "class" | "bits";
  /** Undefined for an endless stream. */
  readonly trainingExamples: number | undefined;
}

export function dataFacts(data: DataConfig): DataFacts {
  switch (data.set) {
    case "mnist":
      return {
        inputWidth: 784,
        image: { height: 28, width: 28, channels: 1 },
        labelWidth: 10,
        inputType: "u8",
        judged: "class",
        trainingExamples: 60_000,
      };
    case "idx":
      return {
        inputWidth: data.pixels,
        labelWidth: data.classes,
        inputType: "u8",
        judged: "class",
        trainingExamples: data.examples,
      };
    case "cifar-10":
      return {
        inputWidth: 3072,
        labelWidth: 10,
        inputType: "u8",
        judged: "class",
        trainingExamples: 50_000,
      };
    case "binary-addition":
      return {
        inputWidth: 2 * data.bits,
        labelWidth: data.bits + 1,
        inputType: "u8",
        judged: "bits",
        trainingExamples: data.pairs,
      };
    case "two-rings":
      return endless({ inputWidth: 2, labelWidth: 2, inputType: "f32", judged: "class" });
  }
}

/** Batches in one pass over the training data, the last one short; undefined for an endless stream. */
export function batchesPerEpoch(data: DataConfig, batchSize: number): number | undefined {
  const { trainingExamples } = dataFacts(data);
  return trainingExamples === undefined ? undefined : Math.ceil(trainingExamples / batchSize);
}

function endless(facts: Omit<DataFacts, "trainingExamples">): DataFacts {
  return { ...facts, trainingExamples: undefined };
}
