import type { Kernels } from "../math/kernels.ts";
import type { BuildLayer, Layer, NetworkOptions } from "./build-layer.ts";
import { type ChainBatch, ChainExamples } from "./chain-batch.ts";
import { DecoupledLayer } from "./decoupled-layer.ts";
import type { Example } from "./example.ts";
import type { GeneratorHealth } from "./generators/generator-health.ts";
import type { Head } from "./head.ts";
import { LockedLayer } from "./locked-layer.ts";

/**
 * How good the guesses of a chain's decoupled layers are against dL/d(output) itself: the loss, backpropagated through
 * all later layers as they are now, without the rounding of a wire. A layer's target is not that, but what its successor
 * guesses. The same network once more, which takes the weights over at each look and never learns; layers whose input is
 * guessed too are shown the real one.
 */
export class TrueGradientProbe {
  readonly #layers: readonly Layer[];
  readonly #hidden: readonly LockedLayer[];
  readonly #head: Head;
  readonly #examples: ChainExamples;

  /** `layers`: of the chain that is looked at, built of the same network. */
  constructor(
    kernels: Kernels,
    network: NetworkOptions,
    layers: readonly Layer[],
    inputScale: number,
    build: BuildLayer,
  ) {
    const locked = lockedOf(network);
    const twins = layers.map((_, index) => build(kernels, locked, index + 1));
    this.#layers = layers;
    this.#hidden = twins.filter((twin) => twin instanceof LockedLayer);
    this.#head = twins.at(-1) as Head;
    this.#examples = new ChainExamples(kernels, network, inputScale);
  }

  /** What the layers would guess, were they given this batch next; changes nothing of theirs. */
  look(batch: ChainBatch): { readonly layer: number; readonly health: GeneratorHealth }[] {
    for (const [index, twin] of [...this.#hidden, this.#head].entries())
      twin.restore(this.#layers[index]!.state());
    return this.#judge(this.#examples.of(batch));
  }

  #judge(shown: Example): { readonly layer: number; readonly health: GeneratorHealth }[] {
    const { rows } = shown;
    const examples = [shown];
    for (const twin of this.#hidden) examples.push({ ...shown, input: twin.forward(examples.at(-1)!) });
    let gradient = this.#head.rehearse(examples.at(-1)!).inputGradient!;
    const found = [];
    for (let index = this.#hidden.length - 1; index >= 0; index--) {
      const layer = this.#layers[index]!;
      const output = examples[index + 1]!.input;
      if (layer instanceof DecoupledLayer)
        found.unshift({ layer: index + 1, health: layer.measure(examples[index]!, output, gradient) });
      if (index > 0) gradient = this.#hidden[index]!.rehearseBackward(gradient, rows)!;
    }
    return found;
  }
}

/** The same, but that every hidden layer waits for its gradient, and none guesses. */
function lockedOf(network: NetworkOptions): NetworkOptions {
  const { inputGenerator: _, mixture: __, late: ___, ...learning } = network.learning;
  const layers = network.layers.map(({ method: _, ...layer }) => layer);
  return { ...network, layers, learning: { ...learning, method: "backprop" } };
}
