/** What the source feeds: every batch is a pure function of seed and number, so nothing is ever stored for replay. */
export interface DataSet {
  /** What a byte of input is worth; 1 for floats. */
  readonly inputScale: number;
  /** Training batch `number` (0, 1, 2, … over the whole run) of the run with this seed. */
  batch(seed: number, number: number, batchSize: number): Batch;
  /** How many parts of at most `batchSize` rows the held-out data has. */
  evaluationParts(batchSize: number): number;
  evaluationPart(part: number, batchSize: number): Batch;
}

/**
 * Row-major. `input`: rows × inputWidth. `labels`: where they are classes the number of each, rows × positions, in two bytes
 * where one is not enough; else rows × labelWidth of 0 and 1, for regression floats.
 */
export interface Batch {
  readonly rows: number;
  readonly input: Uint8Array | Float32Array;
  readonly labels: Uint8Array | Uint16Array | Float32Array;
}
