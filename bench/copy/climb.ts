import type { Kernels } from "../../shared/math/kernels.ts";
import { CopyTask } from "./copy-task.ts";
import { type Boundary, WindowedNetwork } from "./windowed-network.ts";

export interface ClimbOptions {
  readonly boundary: Boundary;
  /** Of a window. */
  readonly steps: number;
  readonly windows: number;
  readonly seed: number;
  readonly symbols: number;
  readonly rows: number;
  readonly units: number;
  readonly rate: number;
  readonly generator: { readonly rate: number; readonly hidden: readonly number[]; readonly scale: number };
}

export interface Climb {
  readonly seed: number;
  /** The window after which sequences of 1, 2, 3, … symbols counted as solved. */
  readonly solvedAt: readonly number[];
  /** Mean over the last symbols judged, of the length not yet solved; NaN if there were none. */
  readonly bits: number;
  /** Of the generator over the whole run: Σ|guess − target|² / Σ|target|², and their cosine. */
  readonly health?: { readonly error: number; readonly cosine: number };
}

/** Bits a symbol, below which a length counts as solved (Jaderberg et al. 2016). */
const SOLVED_BITS = 0.15;
/** Symbols judged together: never seen before, all of one length. */
const JUDGED = 3000;

/** Learns the copy task, one symbol more whenever a length is solved, for so many windows. */
export function climb(kernels: Kernels, options: ClimbOptions): Climb {
  const { symbols, rows, seed, steps, windows } = options;
  const task = new CopyTask({ symbols, rows, seed });
  const network = new WindowedNetwork(kernels, {
    ...options,
    inputs: task.inputWidth,
    outputs: task.labelWidth,
  });
  const input = kernels.allocate(steps * rows * task.inputWidth);
  const labels = kernels.allocate(steps * rows * task.labelWidth);
  const judge = new Judge();
  const health = new MeanHealth();
  const solvedAt: number[] = [];
  for (let window = 1; window <= windows; window++) {
    task.next(steps, input, labels);
    const answer = network.learn({ input, labels });
    health.add(answer.health);
    if (!judge.solves(answer)) continue;
    solvedAt.push(window);
    // Sequences that have begun are as long as before: 2 · length + 1 steps, the longest.
    judge.skip(Math.ceil((2 * task.length + 1) / steps));
    task.length++;
  }
  return { seed, solvedAt, bits: judge.bits, ...health.found() };
}

class Judge {
  #nats = 0;
  #asked = 0;
  #skipped = 0;
  /** Of the last whole portion. */
  bits = Number.NaN;

  skip(windows: number): void {
    this.#skipped = windows;
    this.bits = Number.NaN;
  }

  solves({ loss, asked }: { readonly loss: number; readonly asked: number }): boolean {
    if (this.#skipped > 0) {
      this.#skipped--;
      return false;
    }
    this.#nats += loss;
    this.#asked += asked;
    if (this.#asked < JUDGED) return false;
    this.bits = this.#nats / this.#asked / Math.LN2;
    this.#nats = 0;
    this.#asked = 0;
    return this.bits < SOLVED_BITS;
  }
}

class MeanHealth {
  #error = 0;
  #target = 0;
  #guess = 0;
  #product = 0;

  add(health: ReturnType<WindowedNetwork["learn"]>["health"]): void {
    this.#error += health?.squaredError ?? 0;
    this.#target += health?.squaredTarget ?? 0;
    this.#guess += health?.squaredGuess ?? 0;
    this.#product += health?.product ?? 0;
  }

  found(): Pick<Climb, "health"> {
    if (this.#guess === 0) return {};
    const error = this.#error / this.#target;
    return { health: { error, cosine: this.#product / Math.sqrt(this.#guess * this.#target) } };
  }
}
