import type { Kernels } from "../math/kernels.ts";
import type { EvidenceWidths } from "./evidence.ts";
import { SyntheticGradientGenerator } from "./generator.ts";
import type { LayerOptions } from "./layer-options.ts";

/** The generator of a layer with these options, which has learnt nothing yet. */
export function generatorOf(
  kernels: Kernels,
  { learning, maxRows, seed, layer }: LayerOptions,
  widths: EvidenceWidths,
): SyntheticGradientGenerator {
  const { evidence, hidden = [], batchNorm = true } = learning.generator;
  return new SyntheticGradientGenerator(kernels, {
    widths,
    evidence,
    maxRows,
    optimizer: learning.generator,
    hidden: { widths: hidden, batchNorm, seed, layer },
  });
}
