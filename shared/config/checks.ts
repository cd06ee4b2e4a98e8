import { basename, extname } from "node:path";
import type { Augmentation } from "../data/data-config.ts";
import type {
  Config,
  DataConfig,
  DeliveryConfig,
  EvidencePart,
  LayerConfig,
  LearningConfig,
  Method,
  OptimizerConfig,
  RunConfig,
  ScheduleConfig,
} from "./config.ts";
import { batchesPerEpoch, dataFacts } from "./data-facts.ts";
import { convShape, denseShape, type Given, givenBy } from "./layer-shapes.ts";
import type { ConfigPath, Mistake } from "./mistake.ts";
import { Notes } from "./notes.ts";
import type { ConfigFile } from "./schema.ts";

/** The sections of a config file that are sound in themselves. */
export type SoundParts = { readonly [Key in keyof ConfigFile]?: ConfigFile[Key] | undefined };

/** What is wrong between the sections (as far as they are there), what is doubtful, and the Config where nothing is missing. */
export interface Completed {
  readonly config: Config | undefined;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Mistake[];
}

/** Fills in what one section says of another, and checks that they agree. `file` names a run that has no name. */
export function completeConfig(parts: SoundParts, file: string): Completed {
  const notes = new Notes();
  const data = parts.data && completeData(parts.data, notes);
  const loss = data && checkLoss(parts.loss ?? defaultLoss(data), data, notes);
  const layers = parts.layers && completeLayers(parts.layers, data, loss, notes);
  const learning = parts.learning && completeLearning(parts.learning, notes);
  const run = data && parts.run && completeRun(parts.run, data, notes);
  const delivery = parts.delivery && learning && completeDelivery(parts.delivery, waits(learning), notes);
  if (layers && learning) {
    checkMethods(layers, learning, notes);
    checkImageEvidence(layers, learning, notes);
  }
  if (parts.link) checkBackoff(parts.link, notes);
  if (run && layers) warnOfSmallBatches(run, layers, notes);
  const { seed, wire, link, compute } = parts;
  const isComplete =
    seed !== undefined && data && layers && loss && learning && run && delivery && wire && link && compute;
  const name = parts.name ?? nameOf(file);
  const config = isComplete
    ? { name, seed, data, layers, loss, learning, run, delivery, wire, link, compute }
    : undefined;
  return { config, mistakes: notes.mistakes, warnings: notes.warnings };
}

function nameOf(file: string): string {
  const stem = basename(file, extname(file)).replace(/[^\w.-]/g, "-");
  return /^[a-zA-Z0-9]/.test(stem) ? stem.slice(0, 64) : "run";
}

function completeData(data: NonNullable<SoundParts["data"]>, notes: Notes): DataConfig {
  if (data.set === "mnist") {
    const { set, path } = data;
    return { set, ...(path !== undefined && { path }), ...augmentationOf(data) };
  }
  if (data.set === "idx" || data.set === "cifar-10") {
    const { augment: _, ...files } = data;
    return { ...files, ...augmentationOf(data) };
  }
  if (data.set === "binary-addition" && data.heldOut > 4 ** data.bits / 2) {
    const most = 4 ** data.bits / 2;
    notes.wrong(
      ["data", "heldOut"],
      data.heldOut,
      `of ${2 * most} pairs of ${data.bits}-bit numbers at most half can be held out, ${most}`,
    );
  }
  if (data.set !== "binary-addition") return data;
  const { pairs, ...endless } = data;
  return pairs === undefined ? endless : { ...endless, pairs };
}

/** Nothing where it would change nothing. */
function augmentationOf({ augment }: { readonly augment?: Augmentation | undefined }): {
  readonly augment?: Augmentation;
} {
  return augment && (augment.shift > 0 || augment.mirror) ? { augment } : {};
}

function defaultLoss(data: DataConfig): Config["loss"] {
  return dataFacts(data).judged === "class" ? "softmax-cross-entropy" : "sigmoid-cross-entropy";
}

function checkLoss(loss: Config["loss"], data: DataConfig, notes: Notes): Config["loss"] {
  if (loss !== "mean-squared-error" && loss !== defaultLoss(data)) {
    const labels = dataFacts(data).judged === "class" ? "classes" : "bits";
    notes.wrong(
      ["loss"],
      loss,
      `the labels of ${data.set} are ${labels}, which take ${defaultLoss(data)} or mean-squared-error`,
    );
  }
  return loss;
}

function completeLayers(
  layers: NonNullable<SoundParts["layers"]>,
  data: DataConfig | undefined,
  loss: Config["loss"] | undefined,
  notes: Notes,
): LayerConfig[] | undefined {
  const head = layers.length - 1;
  let given: Given | undefined = data && { ...dataFacts(data), giver: data.set };
  const complete: LayerConfig[] = [];
  for (const [index, layer] of layers.entries()) {
    const shape =
      layer.kind === "conv" ? convShape(layer, index, given, notes) : denseShape(layer, index, given, notes);
    // Of what comes after a layer without a shape nothing can be said.
    if (!shape) return undefined;
    complete.push({
      ...shape,
      nonlinearity: layer.nonlinearity ?? (index === head ? "identity" : "relu"),
      batchNorm: layer.batchNorm ?? index !== head,
      ...(layer.method && { method: layer.method }),
    });
    given = { ...givenBy(shape), giver: `layer ${index + 1}` };
  }
  if (layers[head]!.kind === "conv")
    notes.wrong(["layers", head, "kind"], "conv", "the head is dense: it gives labels, not images");
  else if (data && loss) checkHead(complete[head]!, head, data, loss, notes);
  return data && complete;
}

function checkHead(
  head: LayerConfig,
  index: number,
  data: DataConfig,
  loss: Config["loss"],
  notes: Notes,
): void {
  const { labelWidth, judged } = dataFacts(data);
  if (head.outputs !== labelWidth) {
    const labels = judged === "class" ? "classes" : "bits";
    const what = `the head gives ${head.outputs} outputs, the labels of ${data.set} are ${labelWidth} ${labels}`;
    notes.wrong(["layers", index, "outputs"], head.outputs, what);
  }
  if (loss !== "mean-squared-error" && head.nonlinearity !== "identity") {
    const what = `${loss} has its own nonlinearity, the head's must be identity`;
    notes.wrong(["layers", index, "nonlinearity"], head.nonlinearity, what);
  }
}

function completeLearning(learning: NonNullable<SoundParts["learning"]>, notes: Notes): LearningConfig {
  const layer = completeOptimizer(learning.layer, learning.layer.schedule, ["learning", "layer"], notes);
  const generator = completeOptimizer(
    learning.generator,
    learning.generator.schedule ?? learning.layer.schedule,
    ["learning", "generator"],
    notes,
  );
  const evidence = completeEvidence(learning.generator.evidence, learning.method, notes);
  const { method, mixture = 0, updateProbability = 1, inputGenerator } = learning;
  if (mixture > 0 && method !== "dni" && method !== "cdni") {
    notes.wrong(["learning", "mixture"], mixture, `${method} makes no guesses to mix with, dni and cdni do`);
  }
  return {
    method,
    layer,
    generator: {
      ...generator,
      evidence,
      ...completeHidden(learning.generator, notes),
      form: completeForm(learning.generator, method, evidence, notes),
    },
    ...(mixture > 0 && { mixture }),
    ...(updateProbability < 1 && { updateProbability }),
    // Nothing where layers wait for their inputs.
    ...(typeof inputGenerator === "object" && { inputGenerator }),
  };
}

function completeForm(
  { form, hidden = [] }: NonNullable<SoundParts["learning"]>["generator"],
  method: Method,
  evidence: readonly EvidencePart[],
  notes: Notes,
): LearningConfig["generator"]["form"] {
  const canClassify =
    method !== "dni" && [...evidence].sort().join() === "labels,output" && hidden.length === 0;
  if (form === "classifying" && !canClassify) {
    const what = "it looks at output and labels, and at nothing else, and has no hidden layers";
    notes.wrong(["learning", "generator", "form"], form, what);
  }
  return form ?? (canClassify ? "classifying" : "linear");
}

/** Nothing for a linear generator. */
function completeHidden(
  { hidden = [], batchNorm }: NonNullable<SoundParts["learning"]>["generator"],
  notes: Notes,
): Pick<LearningConfig["generator"], "hidden" | "batchNorm"> {
  if (hidden.length > 0) return { hidden, batchNorm: batchNorm ?? true };
  if (batchNorm !== undefined) {
    const what = "a linear generator has nothing to normalise, hidden has no layers";
    notes.wrong(["learning", "generator", "batchNorm"], batchNorm, what);
  }
  return {};
}

/** What each layer does must suit its place, and what its successor answers. */
function checkMethods(layers: readonly LayerConfig[], learning: LearningConfig, notes: Notes): void {
  const { updateProbability = 1 } = learning;
  layers.forEach(({ method }, index) => {
    if (index === layers.length - 1) {
      if (method !== undefined) notes.wrong(["layers", index, "method"], method, "the head has the loss");
      return;
    }
    const own = { ...learning, method: method ?? learning.method };
    if (learning.inputGenerator && (waits(own) || own.method === "local")) {
      const why = own.method === "local" ? "has a loss of its own" : "waits for its gradient";
      const what = `layer ${index + 1} ${why}; inputs are guessed for dni, cdni and frozen, without a mixture`;
      notes.wrong(["learning", "inputGenerator"], learning.inputGenerator, what);
    }
    if (updateProbability === 1 || !waits({ ...learning, method: method ?? learning.method })) return;
    const what = `layer ${index + 1} waits for every gradient, and would not get them all`;
    notes.wrong(["learning", "updateProbability"], updateProbability, what);
  });
}

/** Convolutional generators see images of the output, and labels as planes; nothing else has their size. */
function checkImageEvidence(layers: readonly LayerConfig[], learning: LearningConfig, notes: Notes): void {
  const { evidence } = learning.generator;
  const index = layers.findIndex(({ conv, method = learning.method }) => {
    return conv && method !== "local" && method !== "backprop";
  });
  const isSeen =
    evidence.includes("output") && evidence.every((part) => part === "output" || part === "labels");
  if (index === -1 || isSeen) return;
  const what = `the generator of layer ${index + 1}, a convolution, looks at output, or at output and labels`;
  notes.wrong(["learning", "generator", "evidence"], evidence, what);
}

/** For a true gradient. */
function waits({ method, mixture = 0 }: Pick<LearningConfig, "method" | "mixture">): boolean {
  return method === "backprop" || (method !== "local" && mixture > 0);
}

type WrittenSchedule = NonNullable<SoundParts["learning"]>["layer"]["schedule"];

function completeOptimizer(
  written: Omit<NonNullable<SoundParts["learning"]>["layer"], "schedule">,
  schedule: WrittenSchedule,
  path: ConfigPath,
  notes: Notes,
): OptimizerConfig {
  if (written.momentum !== undefined && written.optimizer !== "sgd") {
    notes.wrong([...path, "momentum"], written.momentum, `${written.optimizer} has none, only sgd has`);
  }
  return {
    optimizer: written.optimizer,
    rate: written.rate,
    momentum: written.momentum ?? 0,
    schedule: completeSchedule(schedule),
  };
}

function completeSchedule(schedule: WrittenSchedule): ScheduleConfig {
  return typeof schedule === "string" ? { kind: schedule } : schedule;
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

function completeRun(
  run: NonNullable<SoundParts["run"]>,
  data: DataConfig,
  notes: Notes,
): RunConfig | undefined {
  const perEpoch = batchesPerEpoch(data, run.batchSize);
  const batches = runLength(run, perEpoch, data, notes);
  const evaluateEvery = evaluationInterval(run, batches, perEpoch, data, notes);
  if (batches === undefined || evaluateEvery === undefined) return undefined;
  const { batchSize, checkpointEvery, snapshotEvery = evaluateEvery } = run;
  return { batchSize, batches, evaluateEvery, checkpointEvery, snapshotEvery };
}

function runLength(
  { epochs, batches }: NonNullable<SoundParts["run"]>,
  perEpoch: number | undefined,
  data: DataConfig,
  notes: Notes,
): number | undefined {
  if (epochs !== undefined && perEpoch === undefined) {
    notes.wrong(["run", "epochs"], epochs, `${data.set} is an endless stream, say how many batches instead`);
  } else if (epochs !== undefined && batches !== undefined) {
    notes.wrong(["run", "epochs"], epochs, `run.batches is ${batches} as well, expected one of the two`);
  } else if (epochs === undefined && batches === undefined) {
    const either = perEpoch === undefined ? "" : "epochs or ";
    notes.wrong(["run", "batches"], undefined, `say how long the run is, in ${either}batches`);
  }
  return epochs !== undefined && perEpoch !== undefined ? epochs * perEpoch : batches;
}

function evaluationInterval(
  { evaluateEvery }: NonNullable<SoundParts["run"]>,
  batches: number | undefined,
  perEpoch: number | undefined,
  data: DataConfig,
  notes: Notes,
): number | undefined {
  if (typeof evaluateEvery === "number") return evaluateEvery;
  if (evaluateEvery === "epoch" && perEpoch === undefined) {
    const what = `${data.set} is an endless stream, say a number of batches instead`;
    notes.wrong(["run", "evaluateEvery"], evaluateEvery, what);
  }
  return perEpoch ?? (batches && Math.ceil(batches / 10));
}

function completeDelivery(
  { window, schedule, stalenessBudget }: NonNullable<SoundParts["delivery"]>,
  locked: boolean,
  notes: Notes,
): DeliveryConfig {
  const staleness = schedule === "free" ? 0 : schedule.staleness;
  const path = ["delivery", "window"];
  if (locked) {
    if (window !== undefined && window !== 1) {
      notes.wrong(path, window, "backprop waits for every gradient, its window is 1");
    }
    if (staleness > 1) {
      const what = "backprop waits for every gradient, its staleness is 1";
      notes.wrong(["delivery", "schedule", "staleness"], staleness, what);
    }
    return { window: 1, schedule, stalenessBudget };
  }
  if (window !== undefined && window < staleness) {
    notes.wrong(path, window, `a staleness of ${staleness} needs as many unanswered activations`);
  }
  const complete = window ?? Math.max(4, staleness);
  if (stalenessBudget < complete) {
    const what = `layers hold before a window of ${complete} is full`;
    notes.doubtful(["delivery", "stalenessBudget"], stalenessBudget, what);
  }
  return { window: complete, schedule, stalenessBudget };
}

function checkBackoff({ backoffMs }: NonNullable<SoundParts["link"]>, notes: Notes): void {
  if (backoffMs.most < backoffMs.first) {
    const what = `link.backoffMs.first is ${backoffMs.first}, expected no less`;
    notes.wrong(["link", "backoffMs", "most"], backoffMs.most, what);
  }
}

// Measured on binary addition: with batches of 10 both backprop and cdni lose a quarter of their exact sums.
function warnOfSmallBatches(run: RunConfig, layers: readonly LayerConfig[], notes: Notes): void {
  if (run.batchSize < 50 && layers.some(({ batchNorm }) => batchNorm)) {
    const what = "batch normalisation knows only its batch, expected 50 or more";
    notes.doubtful(["run", "batchSize"], run.batchSize, what);
  }
}
