/** What the source feeds: every batch is a pure function of seed and number, so nothing is ever stored for replay. */
export interface DataSet {
  readonly name: string;
  /** Floats per example that the first layer takes. */
  readonly inputWidth: number;
  /** Floats per example of the labels: classes (one-hot) or bits. */
  readonly labelWidth: number;
  /** How an example is judged: the largest class, or every bit on its side of the threshold. */
  readonly judged: "class" | "bits";
  /** Inputs are bytes to be multiplied by `inputScale`, or floats (scale 1). */
  readonly inputType: "u8" | "f32";
  readonly inputScale: number;
  /** Batches in one pass over the training data; undefined for an endless stream. */
  batchesPerEpoch(batchSize: number): number | undefined;
  /** Training batch `number` (0, 1, 2, … over the whole run) of the run with this seed. */
  batch(seed: number, number: number, batchSize: number): Batch;
  /** How many parts of at most `batchSize` rows the held-out data has. */
  evaluationParts(batchSize: number): number;
  evaluationPart(part: number, batchSize: number): Batch;
}

/** `input`: rows × inputWidth, `labels`: rows × labelWidth of 0 and 1, row-major. */
export interface Batch {
  readonly rows: number;
  readonly input: Uint8Array | Float32Array;
  readonly labels: Uint8Array;
}
