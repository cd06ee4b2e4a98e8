import type { Kernels } from "../math/kernels.ts";
import { patchesOf } from "../math/patches.ts";
import { ClassifyingGenerator } from "./classifying-generator.ts";
import { ConvGenerator } from "./conv-generator.ts";
import type { EvidenceWidths } from "./evidence.ts";
import { SyntheticGradientGenerator } from "./generator.ts";
import type { GradientGenerator } from "./gradient-generator.ts";
import type { LayerOptions } from "./layer-options.ts";

/** The generator of a layer with these options, which has learnt nothing yet. */
export function generatorOf(
  kernels: Kernels,
  options: LayerOptions,
  widths: EvidenceWidths,
): GradientGenerator {
  const { learning, maxRows, seed, layer, conv, loss } = options;
  const { evidence, hidden = [], batchNorm = true } = learning.generator;
  const optimizer = learning.generator;
  if (optimizer.form === "classifying")
    return new ClassifyingGenerator(kernels, { widths, maxRows, optimizer, loss });
  const within = { widths: hidden, batchNorm, seed, layer };
  if (!conv)
    return new SyntheticGradientGenerator(kernels, { widths, evidence, maxRows, optimizer, hidden: within });
  const { down, across } = patchesOf(conv.shape);
  const image = { height: down, width: across, channels: conv.channels };
  const labels = evidence.includes("labels") ? widths.labels : 0;
  return new ConvGenerator(kernels, { image, labels, hidden, batchNorm, maxRows, seed, layer, optimizer });
}
