import * as z from "zod";
import { learningOfLayer } from "../../dni/build-layer.ts";
import { hasGenerator } from "../../dni/layer-options.ts";
import { kindOf } from "../../layers/kinds.ts";
import { above, flag, leaf, map, oneOf, wholeFrom } from "../../schema/fields.ts";
import type { EvidencePart, LayerConfig, LearningConfig, Method } from "../config.ts";
import type { Notes } from "../notes.ts";
import { completeOptimizer, descent, schedule } from "./optimizer.ts";

const evidenceParts = [
  "output",
  "normalisedOutput",
  "labels",
  "input",
] as const satisfies readonly EvidencePart[];

export const generatorFields = map({
  ...descent,
  rate: above(0)
    .default(0.001)
    .describe("Learning rate of the generators. Under delay it should be above the layers'."),
  schedule: schedule.optional().describe("Default the layers' schedule."),
  evidence: leaf("a list of output, normalisedOutput, labels and input", (error) =>
    z.array(oneOf(evidenceParts), error).min(1, error),
  )
    .optional()
    .describe(
      "What a generator looks at. Default output and labels; output alone for dni. normalisedOutput: with mean 0 and variance 1 over the batch.",
    ),
  form: oneOf(["linear", "classifying", "bent"])
    .optional()
    .describe(
      "linear in the evidence; classifying: a classifier of the output learns at once from the labels how wrong the network is, and only what follows from that is learnt from targets, so that they may come late; bent: a head of the layer's own says at once what it would ask for, and targets teach how the rest of the network bends that; always so for sequences. Default classifying where a generator looks at output and labels alone and has no hidden layers, else linear.",
    ),
  hidden: leaf("a list of widths", (error) => z.array(wholeFrom(1, 65_536), error).max(8, error))
    .optional()
    .describe(
      "Rectified layers within a generator, which then cannot classify, or within the head of its own that a local layer has. Default none.",
    ),
  batchNorm: flag().optional().describe("Batch normalisation in those. Default true."),
})
  .prefault({})
  .describe("How generators learn.");

type Written = z.output<typeof generatorFields>;

/** What a generator is for. `schedule`: of the layers, which generators follow where they have none of their own. */
interface Place {
  readonly method: Method;
  /** Whether layers give sequences. */
  readonly isSequence: boolean;
  readonly schedule: z.output<typeof schedule>;
}

export function completeGenerator(written: Written, place: Place, notes: Notes): LearningConfig["generator"] {
  const { method } = place;
  const path = ["learning", "generator"];
  const evidence = completeEvidence(written.evidence, method, notes);
  return {
    ...completeOptimizer(written, written.schedule ?? place.schedule, path, notes),
    evidence,
    ...completeHidden(written, notes),
    form: completeForm(written, place, evidence, notes),
  };
}

function completeForm(
  { form, hidden = [] }: Written,
  { method, isSequence }: Place,
  evidence: readonly EvidencePart[],
  notes: Notes,
): LearningConfig["generator"]["form"] {
  const canClassify =
    method !== "dni" && [...evidence].sort().join() === "labels,output" && hidden.length === 0;
  if ((form === "classifying" || form === "bent") && !canClassify) {
    const what = "it looks at output and labels, and at nothing else, and has no hidden layers";
    notes.wrong(["learning", "generator", "form"], form, what);
  }
  const fit = isSequence ? "bent" : "classifying";
  if (isSequence && hidden.length > 0) {
    const what = "what guesses for a sequence, or judges it, has no hidden layers";
    notes.wrong(["learning", "generator", "hidden"], hidden, what);
  }
  if (isSequence && form !== undefined && form !== fit) {
    notes.wrong(["learning", "generator", "form"], form, "generators of sequences are bent");
  }
  return form ?? (canClassify ? fit : "linear");
}

/** Nothing for a linear generator. */
function completeHidden(
  { hidden = [], batchNorm }: Written,
  notes: Notes,
): Pick<LearningConfig["generator"], "hidden" | "batchNorm"> {
  if (hidden.length > 0) return { hidden, batchNorm: batchNorm ?? true };
  if (batchNorm !== undefined) {
    const what = "a linear generator has nothing to normalise, hidden has no layers";
    notes.wrong(["learning", "generator", "batchNorm"], batchNorm, what);
  }
  return {};
}

function completeEvidence(
  written: readonly EvidencePart[] | undefined,
  method: Method,
  notes: Notes,
): readonly EvidencePart[] {
  const path = ["learning", "generator", "evidence"];
  const evidence = written ?? (method === "dni" ? ["output"] : ["output", "labels"]);
  if (method === "dni" && evidence.includes("labels")) {
    notes.wrong(
      [...path, evidence.indexOf("labels")],
      "labels",
      "dni is blind to labels, with them it is cdni",
    );
  }
  if (method === "cdni" && !evidence.includes("labels")) {
    notes.wrong(path, evidence, "cdni is conditioned on labels, without them it is dni");
  }
  const repeated = evidence.findIndex((part, index) => evidence.indexOf(part) !== index);
  if (repeated !== -1) notes.wrong([...path, repeated], evidence[repeated], "it is there already");
  return evidence;
}

/** What a layer's generator looks at must be what one of its kind can see. */
export function checkEvidence(layers: readonly LayerConfig[], learning: LearningConfig, notes: Notes): void {
  for (const [index, layer] of layers.slice(0, -1).entries()) {
    const { method = learning.method } = layer;
    const { evidence } = learningOfLayer({ layers, learning }, index + 1).generator;
    const why = hasGenerator(method) ? kindOf(layer).refuseEvidence?.(evidence) : undefined;
    if (why === undefined) continue;
    const what = `the generator of layer ${index + 1}, ${why}`;
    notes.wrong(["learning", "generator", "evidence"], evidence, what);
    return;
  }
}
