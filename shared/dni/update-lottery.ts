import { seededRandom } from "../math/random.ts";
import type { LayerOptions } from "./layer-options.ts";
import type { LayerState } from "./layer-state.ts";

/** So that these draws have nothing to do with those of weights. */
const TURNS = 7;

/**
 * Which batches a layer learns from: all of them, or each with a probability (Jaderberg et al. 2016, section 3.3),
 * drawn from seed, layer and batch alone. So layers learn in an order that nobody arranges.
 */
export class UpdateLottery {
  readonly #options: LayerOptions;
  readonly #probability: number;
  /** Batches learnt from. Not the number of the last one, by which an optimizer would take its memory for older than it is. */
  #steps = 0;

  constructor(options: LayerOptions) {
    this.#options = options;
    this.#probability = options.learning.updateProbability ?? 1;
  }

  takes(batch: number): boolean {
    if (this.#probability >= 1) return true;
    const { seed, layer } = this.#options;
    return seededRandom(seed, TURNS, layer, batch)() < this.#probability;
  }

  /** Counts one more, and says which step of the optimizer it is, as `step`. */
  next(batch: number): number {
    this.#steps += 1;
    return this.step(batch);
  }

  /** Which step of the optimizer the last one was, from 1. */
  step(batch: number): number {
    // Batches are applied exactly once and in order, so where all are taken their number is the count.
    return this.#probability >= 1 ? batch + 1 : this.#steps;
  }

  counters(): LayerState["counters"] {
    return this.#probability >= 1 ? {} : { "layer.steps": this.#steps };
  }

  restore({ counters }: LayerState): void {
    this.#steps = counters["layer.steps"] ?? 0;
  }
}
