import type { Kernels } from "../math/kernels.ts";
import type { Layer } from "./build-layer.ts";
import type { DecoupledLayer } from "./decoupled-layer.ts";
import { EvidenceStore } from "./evidence.ts";
import type { Example } from "./example.ts";
import type { GeneratorHealth } from "./generators/linear-generator.ts";
import type { Head } from "./head.ts";
import type { LocalLayer } from "./local-layer.ts";
import type { LockedLayer } from "./locked-layer.ts";
import type { MixedLayer } from "./mixed-layer.ts";

/** What the chain asks of a hidden layer, decoupled or locked. */
export interface ChainLayer {
  readonly layer: Exclude<Layer, Head>;
  /** → the output. */
  forward(example: Example, batch: number): Float32Array;
  /** The successor's answer for the batch of the last forward, if it had one → its own answer to its predecessor. */
  hear(target: Float32Array | undefined, heard: Heard): Float32Array | undefined;
  /** Learns what it has heard and not yet learnt, in order. */
  drain(): void;
}

interface Heard {
  readonly batch: number;
  readonly rows: number;
}

interface ChainLayerOptions {
  readonly maxRows: number;
  /** See ChainOptions. */
  readonly staleness: number;
  readonly onHealth: (batch: number, health: GeneratorHealth) => void;
}

/** Throws a RangeError unless the staleness is a whole number from 1. */
export function chainLayerOf(kernels: Kernels, layer: Layer, options: ChainLayerOptions): ChainLayer {
  switch (layer.kind) {
    case "decoupled":
      return new Stale(kernels, layer, options);
    case "locked":
      return new Waiting(layer, options);
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

  hear(target: Float32Array | undefined, { rows, batch }: Heard): Float32Array | undefined {
    if (!target) throw new Error(`Cannot go backward: there is no gradient for batch ${batch}`);
    const answer = this.layer.backward(target, rows, batch);
    if ("health" in this.layer && this.layer.health) this.#onHealth(batch, this.layer.health);
    return answer;
  }

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

  hear(): Float32Array | undefined {
    return this.#inputGradient;
  }

  drain(): void {}
}

/** A decoupled layer with the evidence and the targets of its last D batches. */
class Stale implements ChainLayer {
  readonly layer: DecoupledLayer;
  readonly #staleness: number;
  readonly #onHealth: ChainLayerOptions["onHealth"];
  readonly #evidence: EvidenceStore;
  /** The target of batch b lies at b mod D: when it is overwritten, it has been learnt. */
  readonly #targets: readonly Float32Array[];
  #inputGradient: Float32Array | undefined;

  constructor(kernels: Kernels, layer: DecoupledLayer, options: ChainLayerOptions) {
    const { maxRows, staleness, onHealth } = options;
    if (!(Number.isInteger(staleness) && staleness >= 1)) {
      throw new RangeError(`Cannot pin the staleness: ${staleness} is not a whole number from 1`);
    }
    const widths = layer.evidenceWidths;
    this.layer = layer;
    this.#staleness = staleness;
    this.#onHealth = onHealth;
    this.#evidence = new EvidenceStore(kernels, staleness, { widths, maxRows });
    this.#targets = Array.from({ length: staleness }, () => kernels.allocate(maxRows * widths.output));
  }

  forward(example: Example, batch: number): Float32Array {
    this.#learn(batch - this.#staleness);
    const { output, inputGradient } = this.layer.update(example, batch);
    this.#evidence.keep(batch, this.layer.evidence(example, output));
    this.#inputGradient = inputGradient;
    return output;
  }

  hear(target: Float32Array | undefined, { batch }: Heard): Float32Array | undefined {
    if (target) this.#targets[batch % this.#staleness]!.set(target);
    else this.#evidence.take(batch);
    return this.#inputGradient;
  }

  drain(): void {
    for (const batch of this.#evidence.batches()) this.#learn(batch);
  }

  #learn(batch: number): void {
    const evidence = this.#evidence.take(batch);
    if (!evidence) return;
    this.#onHealth(batch, this.layer.learn(evidence, this.#targets[batch % this.#staleness]!, batch));
  }
}
