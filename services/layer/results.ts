import type { FinishedFrame, LayerReport, TestResult } from "../../shared/wire/frames.ts";

/** How the run came out, as far as this layer knows: what the head judged, and what the layers after this one reported. */
export class Results {
  #reports: readonly LayerReport[] = [];
  #test: TestResult | undefined;
  /** The batch at which this head judged last. */
  #testedAt = -1;

  /** The newest of the head's. */
  get test(): TestResult | undefined {
    return this.#test;
  }

  judged(batch: number, test: TestResult): void {
    this.#test = test;
    this.#testedAt = batch;
  }

  /** For a frame: what this head judged at this very batch. */
  testAt(batch: number): { readonly test?: TestResult } {
    return this.#testedAt === batch && this.#test ? { test: this.#test } : {};
  }

  heard({ reports, test }: FinishedFrame): void {
    this.#reports = reports;
    this.#test = test;
  }

  /** What the predecessor hears once this layer has finished. */
  finished(own: LayerReport): FinishedFrame {
    const reports = [own, ...this.#reports];
    return { kind: "finished", reports, ...(this.#test ? { test: this.#test } : {}) };
  }
}
