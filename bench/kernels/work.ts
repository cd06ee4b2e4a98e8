/** One thing to be timed; matrices are rows × inner · inner × columns, a step is that of a dense layer. */
export type Work = Multiplication | Step | Decoupled;

interface Shape {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

export interface Multiplication extends Shape {
  readonly kind: "multiply";
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Forward with sigmoid, the gradients by input, weights and biases, and Adam: a batch of `rows`. */
export interface Step extends Shape {
  readonly kind: "step";
}

/** A layer of ours with batch norm and ReLU, whose generator sees the output and ten labels: update, then learn. */
export interface Decoupled extends Shape {
  readonly kind: "decoupled";
}

export const LABELS = 10;

export interface Candidate {
  readonly name: string;
  readonly can: readonly Work["kind"][];
  /** Repeats the work for about `ms` milliseconds of CPU time and gives the mean. */
  secondsPerRun(work: Work, ms: number): Promise<number>;
  stop(): void;
}

export function multiplication(rows: number, inner: number, columns: number): Multiplication {
  return { kind: "multiply", rows, inner, columns, transposeA: false, transposeB: false };
}

/** Multiplications and additions of a product. */
export function flops({ rows, inner, columns }: Multiplication): number {
  return 2 * rows * inner * columns;
}

export function nameOf(work: Work): string {
  const shape = `${work.rows}x${work.inner}x${work.columns}`;
  if (work.kind !== "multiply") return `${work.kind} ${shape}`;
  return `${work.transposeA ? "AT" : "A"} ${work.transposeB ? "BT" : "B"} ${shape}`;
}
