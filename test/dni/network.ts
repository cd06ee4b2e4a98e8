import type { NetworkOptions } from "../../shared/dni/build-layer.ts";
import type { LayerOptions, LearningOptions } from "../../shared/dni/layer-options.ts";
import type { LayerState } from "../../shared/dni/layer-state.ts";
import { layerKinds, partsOf } from "../../shared/layers/kinds.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";
import type { Schedule } from "../../shared/math/schedule.ts";

export function adam(rate: number, schedule: Schedule = { kind: "constant" }) {
  return { optimizer: "adam", momentum: 0, rate, schedule } as const;
}

export function sgd(rate: number, schedule: Schedule = { kind: "constant" }) {
  return { optimizer: "sgd", momentum: 0, rate, schedule } as const;
}

/** Label-conditioned, Adam at constant rates. */
export function learningOf(change: Partial<LearningOptions> = {}): LearningOptions {
  const generator = { ...adam(0.02), evidence: ["output", "labels"] } as const;
  return { method: "cdni", layer: adam(0.01), generator, ...change };
}

/** A hidden layer 2, 4 → 3, of a network with two labels. */
export function layerOptionsOf(change: Partial<LayerOptions> = {}): LayerOptions {
  return {
    layer: 2,
    headLayer: 3,
    parts: partsOf(layerKinds.dense),
    inputs: 4,
    outputs: 3,
    nonlinearity: "tanh",
    batchNorm: true,
    labelWidth: 2,
    labelPositions: 1,
    networkInputWidth: 0,
    maxRows: 8,
    seed: 1,
    batches: 100,
    learning: learningOf(),
    wantInputGradient: true,
    loss: "softmax-cross-entropy",
    ...change,
  };
}

/** Hidden layers with batch norm and ReLU, then a linear head. */
export function networkOf(
  sizes: readonly number[],
  change: Partial<NetworkOptions> & Pick<NetworkOptions, "run">,
): NetworkOptions {
  const layers = sizes.slice(1).map((outputs, index) => {
    const isHead = index === sizes.length - 2;
    const nonlinearity = isHead ? ("identity" as const) : ("relu" as const);
    return { inputs: sizes[index]!, outputs, nonlinearity, batchNorm: !isHead };
  });
  return { seed: 1, layers, loss: "softmax-cross-entropy", learning: learningOf(), ...change };
}

export function drawn(length: number, seed: number): Float32Array {
  const random = seededRandom(seed, 77);
  return Float32Array.from({ length }, () => normal(random));
}

/** Of `rows` rows the class, one of `count`. */
export function classes(rows: number, count: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => row % count);
}

/** The same one-hot. */
export function oneHot(rows: number, width: number): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, i) =>
    i % width === Math.floor(i / width) % width ? 1 : 0,
  );
}

/** A layer's state as a checkpoint would hold it: no array shared with the layer. */
export function snapshotOf(layer: { state(): LayerState }): LayerState {
  return structuredClone(layer.state());
}
