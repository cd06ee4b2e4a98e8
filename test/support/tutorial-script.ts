import type { ChainBatch } from "../../shared/dni/chain-batch.ts";
import type { Kernels } from "../../shared/math/kernels.ts";

/** Weights (inputs × outputs) and biases of the script's three layers, changed in place. */
type ScriptWeights = readonly { readonly weight: Float32Array; readonly bias: Float32Array }[];

const SIZES = [16, 128, 64, 9] as const;

/**
 * The tutorial's first script: one network of three sigmoid layers, trained by backpropagation in one piece, batch after
 * batch, without an object for a layer in sight. `kernels` does what numpy does there.
 */
export function vanillaScript(
  kernels: Kernels,
  weights: ScriptWeights,
  batches: readonly ChainBatch[],
  alpha: number,
): void {
  const rows = batches[0]!.rows;
  const room = (length: number) => kernels.allocate(length);
  const layers = SIZES.map((size) => room(rows * size));
  const deltas = SIZES.map((size) => room(rows * size));
  const synapses = weights.map(({ weight, bias }) => ({
    weight: room(weight.length),
    bias: room(bias.length),
  }));
  const still = weights.map(({ weight, bias }) => ({ weight: room(weight.length), bias: room(bias.length) }));
  const labels = room(rows * SIZES[3]);
  for (const batch of batches) {
    layers[0]!.set(batch.input);
    labels.set(batch.labels);
    for (const k of [0, 1, 2]) {
      const shape = { rows, inner: SIZES[k]!, columns: SIZES[k + 1]! };
      kernels.multiply(layers[k]!, weights[k]!.weight, layers[k + 1]!, shape);
      kernels.addBias(layers[k + 1]!, weights[k]!.bias, rows, shape.columns);
      kernels.activate("sigmoid", layers[k + 1]!, layers[k + 1]!, rows * shape.columns);
    }
    kernels.subtract(layers[3]!, labels, deltas[3]!, rows * SIZES[3]);
    for (const k of [2, 1, 0]) {
      const [inputs, outputs] = [SIZES[k]!, SIZES[k + 1]!];
      const delta = deltas[k + 1]!;
      kernels.activateBackward("sigmoid", layers[k + 1]!, delta, delta, rows * outputs);
      kernels.sumRows(delta, synapses[k]!.bias, rows, outputs);
      const onWeights = { rows: inputs, inner: rows, columns: outputs };
      kernels.multiply(layers[k]!, delta, synapses[k]!.weight, onWeights, { transposeA: true });
      if (k > 0) {
        const back = { rows, inner: outputs, columns: inputs };
        kernels.multiply(delta, weights[k]!.weight, deltas[k]!, back, { transposeB: true });
      }
    }
    // `layer.weights -= alpha · gradient`, after the whole pass; the mean over the batch in place of the sum.
    const descent = { rate: alpha, scale: 1 / rows, momentum: 0 };
    for (const k of [0, 1, 2]) {
      const { weight, bias } = weights[k]!;
      kernels.sgd(weight, synapses[k]!.weight, still[k]!.weight, weight.length, descent);
      kernels.sgd(bias, synapses[k]!.bias, still[k]!.bias, bias.length, descent);
    }
  }
}
