import type { Kernels } from "../math/kernels.ts";
import type { Layer } from "./build-layer.ts";
import type { DecoupledLayer } from "./decoupled-layer.ts";
import { EvidenceStore } from "./evidence.ts";
import type { Example } from "./example.ts";
import type { GeneratorHealth } from "./generators/linear-generator.ts";
import type { Head } from "./head.ts";
import type { LateLayer } from "./late-layer.ts";
import type { LocalLayer } from "./local-layer.ts";
import type { LockedLayer } from "./locked-layer.ts";
import type { MixedLayer } from "./mixed-layer.ts";
import { type Order, pinnedOrder } from "./order.ts";

/** What the chain asks of a hidden layer, decoupled or locked. */
export interface ChainLayer {
  readonly layer: Exclude<Layer, Head>;
  /** → the output. */
  forward(example: Example, batch: number): Float32Array;
  /** The successor's answer for a batch, if it had one; its own answers to its predecessor, as they are ready. */
  hear(target: Float32Array | undefined, heard: Heard, answer: Answer): void;
  /** Learns what it has heard and not yet learnt, in order. */
  drain(): void;
}

interface Heard {
  readonly batch: number;
  readonly rows: number;
}

type Answer = (inputGradient: Float32Array | undefined, of: Heard) => void;

interface ChainLayerOptions {
  readonly maxRows: number;
  /** See ChainOptions. */
  readonly staleness: number;
  readonly order?: Order | undefined;
  /** Before batch `next` every gradient has come, however late they may be. */
  readonly isSettled: (next: number) => boolean;
  readonly onHealth: (batch: number, health: GeneratorHealth) => void;
}

/** Throws a RangeError unless the staleness is a whole number from 1. */
export function chainLayerOf(kernels: Kernels, layer: Layer, options: ChainLayerOptions): ChainLayer {
  switch (layer.kind) {
    case "decoupled":
      return new Stale(kernels, layer, options);
    case "locked":
      return new Waiting(layer, options);
    case "late":
      return new Late(kernels, layer, options);
    case "local":
      return new Deaf(layer);
    case "head":
      throw new Error("Cannot hide a head: it is the last layer");
  }
}

/** A locked layer, which does all it does when it hears. */
class Waiting implements ChainLayer {
  readonly layer: LockedLayer | MixedLayer;
  readonly #onHealth: ChainLayerOptions["onHealth"];

  constructor(layer: LockedLayer | MixedLayer, { onHealth }: ChainLayerOptions) {
    this.layer = layer;
    this.#onHealth = onHealth;
  }

  forward(example: Example): Float32Array {
    return this.layer.forward(example);
  }

  hear(target: Float32Array | undefined, heard: Heard, answer: Answer): void {
    const { rows, batch } = heard;
    const inputGradient = this.layer.backward(mustBeThere(target, batch), rows, batch);
    if ("health" in this.layer && this.layer.health) this.#onHealth(batch, this.layer.health);
    answer(inputGradient, heard);
  }

  drain(): void {}
}

function mustBeThere(target: Float32Array | undefined, batch: number): Float32Array {
  if (target) return target;
  throw new Error(`Cannot go backward: there is no gradient for batch ${batch}`);
}

/** A layer of backprop that is D batches ahead of its gradients. */
class Late implements ChainLayer {
  readonly layer: LateLayer;
  readonly #options: ChainLayerOptions;
  /** Heard and not yet due, in order; the target of batch b lies at b mod D. */
  readonly #early: Heard[] = [];
  readonly #targets: readonly Float32Array[];
  /** The batch that would go forward next. */
  #next = 0;

  constructor(kernels: Kernels, layer: LateLayer, options: ChainLayerOptions) {
    const { staleness, maxRows } = options;
    pinnedOrder(staleness);
    this.#targets = Array.from({ length: staleness }, () => kernels.allocate(maxRows * layer.outputs));
    this.layer = layer;
    this.#options = options;
  }

  forward(example: Example, batch: number): Float32Array {
    this.#next = batch + 1;
    return this.layer.forward(example, batch);
  }

  hear(target: Float32Array | undefined, heard: Heard, answer: Answer): void {
    const { staleness, isSettled } = this.#options;
    this.#targets[heard.batch % staleness]!.set(mustBeThere(target, heard.batch));
    this.#early.push(heard);
    const due = isSettled(this.#next) ? this.#next : this.#next - staleness;
    while (this.#early[0] && this.#early[0].batch <= due) {
      const of = this.#early.shift()!;
      answer(this.layer.backward(of.batch, this.#targets[of.batch % staleness]!, of), of);
    }
  }

  /** At the end, and where there is a snapshot, nothing is left to come. */
  drain(): void {}
}

/** A local layer, which has done all it does before anybody answers. */
class Deaf implements ChainLayer {
  readonly layer: LocalLayer;
  #inputGradient: Float32Array | undefined;

  constructor(layer: LocalLayer) {
    this.layer = layer;
  }

  forward(example: Example, batch: number): Float32Array {
    const { output, inputGradient } = this.layer.update(example, batch);
    this.#inputGradient = inputGradient;
    return output;
  }

  hear(_: Float32Array | undefined, heard: Heard, answer: Answer): void {
    answer(this.#inputGradient, heard);
  }

  drain(): void {}
}

/** A decoupled layer with the evidence and the targets of the batches it has yet to learn from. */
class Stale implements ChainLayer {
  readonly layer: DecoupledLayer;
  readonly #order: Order;
  readonly #onHealth: ChainLayerOptions["onHealth"];
  readonly #evidence: EvidenceStore;
  /** The target of batch b lies at b mod their number: when it is overwritten, it has been learnt. */
  readonly #targets: readonly Float32Array[];
  /** Targets of batches below this are learnt. */
  #learnt = 0;
  #inputGradient: Float32Array | undefined;

  constructor(kernels: Kernels, layer: DecoupledLayer, options: ChainLayerOptions) {
    const { maxRows, staleness, order = pinnedOrder(staleness), onHealth } = options;
    const widths = layer.evidenceWidths;
    this.layer = layer;
    this.#order = order;
    this.#onHealth = onHealth;
    this.#evidence = new EvidenceStore(kernels, order.reach, { widths, maxRows });
    this.#targets = Array.from({ length: order.reach }, () => kernels.allocate(maxRows * widths.output));
  }

  forward(example: Example, batch: number): Float32Array {
    const due = this.#order.dueBefore(batch);
    while (this.#learnt < due) this.#learnNext();
    const { output, inputGradient } = this.layer.update(example, batch);
    this.#evidence.keep(batch, this.layer.evidence(example, output));
    this.#inputGradient = inputGradient;
    return output;
  }

  hear(target: Float32Array | undefined, heard: Heard, answer: Answer): void {
    const { batch } = heard;
    if (target) this.#targets[batch % this.#order.reach]!.set(target);
    else this.#evidence.take(batch);
    answer(this.#inputGradient, heard);
  }

  drain(): void {
    while (this.#evidence.size > 0) this.#learnNext();
  }

  #learnNext(): void {
    const batch = this.#learnt++;
    const evidence = this.#evidence.take(batch);
    if (!evidence) return;
    this.#onHealth(batch, this.layer.learn(evidence, this.#targets[batch % this.#order.reach]!, batch));
  }
}
