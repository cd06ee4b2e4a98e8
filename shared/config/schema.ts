import * as z from "zod";
import { leaf, map, oneOf, wholeFrom } from "../schema/fields.ts";
import type { LinkDtype } from "../wire/frames.ts";
import { noModules, type OwnModules } from "./own-modules.ts";
import { dataSection } from "./sections/data.ts";
import { deliveryFields } from "./sections/delivery.ts";
import { layersSection } from "./sections/layers.ts";
import { learningFields } from "./sections/learning.ts";
import { linkFields } from "./sections/link.ts";
import { lossField } from "./sections/loss.ts";
import { runFields } from "./sections/run.ts";

/** What `configShape` makes of a config file. */
export type ConfigFile = { readonly [Key in keyof ConfigShape]: z.output<ConfigShape[Key]> };
type ConfigShape = ReturnType<typeof shapeWith>;

const dtypes = ["f32", "f16", "bf16", "i8"] as const satisfies readonly LinkDtype[];

const name = leaf("letters, digits, dots, dashes or underscores, a letter or digit first", (error) =>
  z.string(error).regex(/^[a-zA-Z0-9][\w.-]{0,63}$/, error),
)
  .optional()
  .describe("What to call the run. Default the file's name.");

const modules = leaf("a map of texts by path", (error) => z.record(z.string(), z.string(error), error))
  .optional()
  .describe("The user's own modules, by their paths: a run writes them into its config.yaml.");

const wireFields = map({
  dtype: oneOf(dtypes)
    .default("f32")
    .describe("Type of activations and gradients between layers; i8 has a scale for each example."),
})
  .prefault({})
  .describe("How numbers travel.");

const computeFields = map({
  kernels: oneOf(["auto", "native", "wasm-relaxed", "wasm", "plain"])
    .default("auto")
    .describe(
      "What does the arithmetic. `native`: compiled for the processor (AVX-512, AVX2 or NEON), the same bits on all of them, or no start. `wasm-relaxed`: WebAssembly with relaxed SIMD, slower; the bits of `native` where the processor has fused multiply-adds. `wasm`: without, slower still; its own bits, the same on every machine. `plain`: the oracle. `auto`: `native`, else `wasm-relaxed` with its bits, else `wasm`.",
    ),
})
  .prefault({})
  .describe("How a process computes.");

/**
 * The shape of a config file, section by section: what may stand where, and what is filled in without looking elsewhere.
 * What depends on something else (widths, the loss, the window) is left open here and completed by `completeConfig`.
 */
export function configShape(own: OwnModules = noModules): ConfigShape {
  return own.layers.length + own.data.length === 0 ? plainShape : shapeWith(own);
}

function shapeWith({ layers, data }: OwnModules) {
  return {
    name,
    seed: wholeFrom(0).default(0).describe("Every random number of the run follows from it."),
    data: dataSection(data),
    layers: layersSection(layers),
    loss: lossField,
    learning: learningFields,
    run: runFields,
    delivery: deliveryFields,
    wire: wireFields,
    link: linkFields,
    compute: computeFields,
    modules,
  };
}

const plainShape = shapeWith(noModules);
