import type { Frame } from "./frame.ts";

const KEPT = 64;

/** The last frame of each of the last batches. */
export class LastBatches {
  /** That of batch b lies at b mod KEPT. */
  readonly #frames: Frame[] = [];

  keep(frame: Frame): void {
    this.#frames[Number(frame.batch) % KEPT] = frame;
  }

  of(batch: number): Frame | undefined {
    const frame = this.#frames[batch % KEPT];
    return frame?.batch === batch ? frame : undefined;
  }
}
