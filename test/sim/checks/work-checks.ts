import type { Config } from "../../../shared/config/config.ts";
import type { Machine } from "../machine.ts";
import type { ProcessLife } from "../process-life.ts";
import type { WorkWatch } from "../witnessed-work.ts";
import type { Violate } from "./invariant.ts";

/** What must hold of what one life of a layer learns. */
export class WorkChecks implements Omit<WorkWatch, "isPoisoned" | "sentAgain"> {
  readonly #config: Config;
  readonly #layer: number;
  readonly #lived: ProcessLife;
  /** Answers that it may await. */
  readonly #mostKept: number;
  readonly #violate: Violate;
  /** Of each batch: how many successors had been met since a target was learnt, by whichever life met most. */
  readonly #lostTargets: number[];

  constructor(
    config: Config,
    { layer, lostTargets }: Pick<Machine, "layer" | "lostTargets">,
    lived: ProcessLife,
    mostKept: number,
    violate: Violate,
  ) {
    this.#config = config;
    this.#layer = layer;
    this.#lostTargets = lostTargets;
    this.#lived = lived;
    this.#mostKept = mostKept;
    this.#violate = violate;
  }

  applied(witness: readonly number[], sinceTarget: number, kept: number): void {
    this.#checkWitness(witness);
    this.#checkMemory(kept);
    this.#checkBudget(witness.at(-1)!, sinceTarget);
  }

  passedBackward(through: number, of: number | undefined): void {
    if (through !== of) this.#violate("own gradient", `${this.#name} learns ${through} by that of ${of}`);
  }

  /** Of the batch applied last, at most once in a lineage, from its own correction. */
  corrected(shown: number, of: number, applied: number, before: number): void {
    if (shown !== of || shown !== applied || shown <= before)
      this.#violate("corrected", `${this.#name}: ${shown} by ${of}, after ${before}, at ${applied}`);
  }

  get #name(): string {
    return this.#lived.life.name;
  }

  #checkWitness(witness: readonly number[]): void {
    const last = witness.length - 1;
    if (witness[last] !== last)
      this.#violate("exactly once", `${this.#name} applies ${witness[last]} after ${witness[last - 1]}`);
  }

  #checkMemory(kept: number): void {
    if (kept > this.#mostKept && !this.#isLocked)
      this.#violate("memory", `${this.#name} awaits ${kept} answers`);
  }

  /** Beyond its budget a layer goes on only with a successor that takes what it sends: a window, each time there is one. */
  #checkBudget(batch: number, sinceTarget: number): void {
    const hearsNone = this.#isLocked || this.#config.learning.method === "local";
    if (this.#layer === this.#config.layers.length || hearsNone) return;
    if (sinceTarget <= 1) this.#lived.lostTargets = 0;
    // Who learns in the order of a former life goes as long without a target as that one.
    const lost = Math.max(this.#lived.lostTargets, this.#lostTargets[batch] ?? 0);
    this.#lived.lostTargets = lost;
    this.#lostTargets[batch] = lost;
    const { window, stalenessBudget, schedule } = this.#config.delivery;
    const pinned = schedule === "free" ? 0 : schedule.staleness;
    const most = Math.max(stalenessBudget, window) + pinned + window * (1 + lost);
    if (sinceTarget > most)
      this.#violate("staleness budget", `${this.#name} applies ${sinceTarget} batches since a target`);
  }

  /** It keeps no evidence, and learns from nothing but targets. */
  get #isLocked(): boolean {
    const { layers, learning } = this.#config;
    return (layers[this.#layer - 1]!.method ?? learning.method) === "backprop";
  }
}
