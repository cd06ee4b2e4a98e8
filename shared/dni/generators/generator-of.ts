import type { Kernels } from "../../math/kernels.ts";
import type { EvidenceWidths } from "../evidence.ts";
import { oneHotView } from "../labels.ts";
import type { LayerOptions } from "../layer-options.ts";
import { BentHeadGenerator } from "./bent-head-generator.ts";
import { ClassifyingGenerator } from "./classifying-generator.ts";
import type { GradientGenerator } from "./gradient-generator.ts";
import { SyntheticGradientGenerator } from "./linear-generator.ts";

/** The generator of a layer whose output it sees as so many floats: it has learnt nothing yet. */
export function generatorOf(
  kernels: Kernels,
  options: LayerOptions,
  widths: EvidenceWidths,
): GradientGenerator {
  const { learning, maxRows, seed, layer, headLayer, loss } = options;
  const { evidence, hidden = [], batchNorm = true } = learning.generator;
  const optimizer = learning.generator;
  if (optimizer.form === "classifying")
    return new ClassifyingGenerator(kernels, { widths, maxRows, optimizer, loss });
  if (optimizer.form === "bent") {
    const { labelPositions: positions } = options;
    return new BentHeadGenerator(kernels, {
      ...{ widths, positions, maxRows, loss, optimizer },
      headOptimizer: learning.layer,
      // One that never learns guesses zero, so that its layer stays as drawn.
      seed: learning.method === "frozen" ? undefined : [seed, headLayer],
    });
  }
  const within = { widths: hidden, batchNorm, seed, layer };
  const viewLabels = evidence.includes("labels") && { viewLabels: oneHotView(kernels, options) };
  return new SyntheticGradientGenerator(kernels, {
    ...{ widths, evidence, maxRows, optimizer, hidden: within },
    ...viewLabels,
  });
}
