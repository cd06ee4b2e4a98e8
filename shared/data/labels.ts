import type { Batch, DataSet } from "./data-set.ts";
import type { DataFacts } from "./data-set-kind.ts";

type Told = Pick<DataFacts, "judged" | "labelWidth" | "sequence">;

/** How many numbers the labels of an example are, and of which type: of classes one for each position. */
export function labelForm({ judged, labelWidth, sequence }: Told) {
  if (judged === "values") return { count: labelWidth, type: "f32" } as const;
  if (judged === "bits") return { count: labelWidth, type: "u8" } as const;
  const count = sequence?.positions ?? 1;
  return { count, type: idType(labelWidth / count) } as const;
}

/** The narrowest whole numbers that tell so many classes apart. */
export function idType(classes: number): "u8" | "u16" {
  return classes <= 256 ? "u8" : "u16";
}

/** Of the losses the one that takes a class for a label; others take bits or values. */
export const TAKES_CLASSES = "softmax-cross-entropy";

/** The classes of labels as 0 and 1, one for each output of the network. Other labels as they are. */
export function oneHot(facts: Told, labels: Batch["labels"]): Uint8Array | Float32Array {
  if (labels instanceof Float32Array) return labels;
  if (facts.judged !== "class") return Uint8Array.from(labels);
  const { labelWidth, sequence } = facts;
  const classes = labelWidth / (sequence?.positions ?? 1);
  const hot = new Uint8Array(labels.length * classes);
  for (const [at, label] of labels.entries()) hot[at * classes + label] = 1;
  return hot;
}

/** A data set of classes, for a loss that takes bits. */
export class OneHot implements DataSet {
  readonly inputScale: number;
  readonly #set: DataSet;
  readonly #facts: Told;

  constructor(set: DataSet, facts: Told) {
    this.inputScale = set.inputScale;
    this.#set = set;
    this.#facts = facts;
  }

  batch(seed: number, number: number, batchSize: number): Batch {
    return this.#hot(this.#set.batch(seed, number, batchSize));
  }

  evaluationParts(batchSize: number): number {
    return this.#set.evaluationParts(batchSize);
  }

  evaluationPart(part: number, batchSize: number): Batch {
    return this.#hot(this.#set.evaluationPart(part, batchSize));
  }

  #hot(batch: Batch): Batch {
    return { ...batch, labels: oneHot(this.#facts, batch.labels) };
  }
}
