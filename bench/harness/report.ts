/** What one bench found: docs/performance/<name>.json, from which the page is rendered. */
export interface Report extends Findings {
  readonly name: string;
  readonly title: string;
  /** How to get it again. */
  readonly command: string;
  /** ISO, UTC. */
  readonly date: string;
  readonly machine: string;
  /** Of everything that was measured: node, PyTorch, … */
  readonly versions: readonly string[];
  /** Load averages when it began and ended: other work on the machine shows here. */
  readonly load: readonly [number, number];
}

export interface Findings {
  readonly tables: readonly Table[];
  /** Lines below the tables: how it was measured, what was left out and why. */
  readonly notes: readonly string[];
  /** Beside those of the harness. */
  readonly versions?: readonly string[];
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly bars: readonly Bar[];
  /** An SVG of it, by name beside the page. */
  readonly plot?: { readonly file: string; readonly svg: string };
}

/** Numbers are rendered with three digits. */
export type Cell = string | number;

/** A promise about one number. */
export interface Bar {
  /** "throughput against bare TCP, 64 KiB" */
  readonly of: string;
  readonly measured: number;
  readonly unit: string;
  readonly least?: number;
  readonly most?: number;
}

export function isMet({ measured, least, most }: Bar): boolean {
  if (!Number.isFinite(measured)) return false;
  return measured >= (least ?? Number.NEGATIVE_INFINITY) && measured <= (most ?? Number.POSITIVE_INFINITY);
}
