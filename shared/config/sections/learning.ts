import * as z from "zod";
import { isLocked } from "../../dni/layer-options.ts";
import { above, leaf, map, oneOf, wholeFrom } from "../../schema/fields.ts";
import type { LayerConfig, LearningConfig, Method } from "../config.ts";
import type { Notes } from "../notes.ts";
import { completeGenerator, generatorFields } from "./generator.ts";
import { completeOptimizer, descent, regularisation, schedule } from "./optimizer.ts";

export const methods = ["dni", "cdni", "backprop", "frozen", "local"] as const satisfies readonly Method[];

export const learningFields = map({
  method: oneOf(methods)
    .default("cdni")
    .describe(
      "dni: generators see outputs; cdni: and labels; backprop: wait for the true gradient; frozen: only the head learns; local: each layer has a head of its own.",
    ),
  mixture: leaf("a number from 0 to 1", (error) => z.number(error).gte(0, error).lte(1, error))
    .optional()
    .describe(
      "For dni and cdni. Share of the target in what a layer follows and sends back, the rest is its guess; above 0 it waits as under backprop. Default 0.",
    ),
  late: map({
    weights: oneOf(["stashed", "present"])
      .optional()
      .describe(
        "Through which a batch goes backward: those of its forward pass, kept so long, or the present ones. Default stashed.",
      ),
    slowFor: wholeFrom(0)
      .optional()
      .describe("Batches over which the rate rises from rate / staleness to the rate. Default 0."),
  })
    .optional()
    .describe("For backprop with a window above 1, whose gradients come late."),
  updateProbability: leaf("a number above 0, at most 1", (error) =>
    z.number(error).gt(0, error).lte(1, error),
  )
    .optional()
    .describe("With which each layer learns from a batch, each by itself. Default 1."),
  layer: map({
    ...descent,
    rate: above(0).default(0.003).describe("Learning rate of the layers."),
    schedule: schedule.default("cosine").describe("How the rate changes over the run; cosine ends at zero."),
    ...regularisation,
  })
    .prefault({})
    .describe("How layers learn."),
  generator: generatorFields,
  inputGenerator: leaf("none or {rate: …, hidden: […]}", (error) =>
    z.union(
      [
        z.literal("none"),
        map({
          rate: above(0).describe("Learning rate of the input generators, on the layers' schedule; by adam."),
          hidden: leaf("a list of widths", (inner) =>
            z.array(wholeFrom(1, 65_536), inner).max(8, inner),
          ).describe("Rectified layers within them, with batch normalisation; [] for linear ones."),
        }),
      ],
      error,
    ),
  )
    .optional()
    .describe(
      "With it layers from 2 on learn from a guess of their input, made of the network's, and wait for nobody at all: complete unlock. For dni, cdni and frozen. Default none.",
    ),
})
  .prefault({})
  .describe("Who learns from what, and how fast.");

/** `isSequence`: whether layers give sequences. */
export function completeLearning(
  written: z.output<typeof learningFields>,
  isSequence: boolean,
  notes: Notes,
): LearningConfig {
  const { method, mixture = 0, updateProbability = 1, inputGenerator } = written;
  const { schedule } = written.layer;
  const layer = completeOptimizer(written.layer, schedule, ["learning", "layer"], notes);
  const generator = completeGenerator(written.generator, { method, isSequence, schedule }, notes);
  if (mixture > 0 && method !== "dni" && method !== "cdni") {
    notes.wrong(["learning", "mixture"], mixture, `${method} makes no guesses to mix with, dni and cdni do`);
  }
  return {
    method,
    layer,
    generator,
    ...(mixture > 0 && { mixture }),
    ...(updateProbability < 1 && { updateProbability }),
    // Nothing where layers wait for their inputs.
    ...(typeof inputGenerator === "object" && { inputGenerator }),
  };
}

/** With what the window decides: whether backprop waits for its gradients, or they come late. */
export function completeLate(
  learning: LearningConfig,
  { late }: z.output<typeof learningFields>,
  window: number,
  notes: Notes,
): LearningConfig {
  if (learning.method === "backprop" && window > 1) {
    const { weights = "stashed", slowFor = 0 } = late ?? {};
    return { ...learning, late: { weights, ...(slowFor > 0 && { slowFor }) } };
  }
  if (late) {
    const what = "no gradient comes late: that takes method backprop and delivery.window above 1";
    notes.wrong(["learning", "late"], late, what);
  }
  return learning;
}

/** What each layer does must suit its place, and what its successor answers. */
export function checkMethods(layers: readonly LayerConfig[], learning: LearningConfig, notes: Notes): void {
  const { updateProbability = 1 } = learning;
  layers.forEach(({ method }, index) => {
    if (index === layers.length - 1) {
      if (method !== undefined) notes.wrong(["layers", index, "method"], method, "the head has the loss");
      return;
    }
    const own = { ...learning, method: method ?? learning.method };
    if (method === "frozen" && (learning.mixture ?? 0) > 0)
      notes.wrong(["layers", index, "method"], method, "with a mixture it would follow its targets");
    if (learning.inputGenerator && (isLocked(own) || own.method === "local")) {
      const why = own.method === "local" ? "has a loss of its own" : "waits for its gradient";
      const what = `layer ${index + 1} ${why}; inputs are guessed for dni, cdni and frozen, without a mixture`;
      notes.wrong(["learning", "inputGenerator"], learning.inputGenerator, what);
    }
    if (updateProbability === 1 || !isLocked(own)) return;
    const what = `layer ${index + 1} waits for every gradient, and would not get them all`;
    notes.wrong(["learning", "updateProbability"], updateProbability, what);
  });
}
