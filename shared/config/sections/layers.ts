import * as z from "zod";
import { MOST_FLOATS } from "../../layers/common-fields.ts";
import { kindName, layerKinds } from "../../layers/kinds.ts";
import type { Given, LayerKind } from "../../layers/layer-kind.ts";
import { alternatives, leaf, map, oneOf } from "../../schema/fields.ts";
import { MOST_LAYERS } from "../../wire/frames.ts";
import type { Config, DataConfig, LayerConfig, Method } from "../config.ts";
import { dataFacts } from "../data-facts.ts";
import type { Notes } from "../notes.ts";
import type { OwnModule } from "../own-modules.ts";
import { methods } from "./learning.ts";
import { labelKinds } from "./loss.ts";

/** As a config says it; its other entries are those of its kind. */
interface WrittenLayer {
  readonly kind?: string | undefined;
  readonly method?: Method | undefined;
  readonly nonlinearity?: LayerConfig["nonlinearity"] | undefined;
  readonly batchNorm?: boolean | undefined;
  readonly [entry: string]: unknown;
}

const method = oneOf(methods)
  .optional()
  .describe("How this hidden layer learns, where it is not as learning.method says.");

/** The section `layers`, with the user's own kinds among the others. */
export function layersSection(own: readonly OwnModule<LayerKind>[]): z.ZodType<readonly WrittenLayer[]> {
  const known = Object.entries(layerKinds).map(([name, kind]) => entries(name, kind));
  const others = own.map(({ path, kind }) => entries(path, kind));
  const expected = `a map with kind: ${alternatives(Object.keys(layerKinds))}, or the path of a module (./….ts)`;
  const layer = leaf(expected, (error) =>
    z.discriminatedUnion("kind", [...known, ...others] as [(typeof known)[number]], error),
  );
  const most = `expected at most ${MOST_LAYERS} layers`;
  return leaf("a list of layers, the first layer first", (error) =>
    z.array(layer, error).min(1, error).max(MOST_LAYERS, most),
  ).describe("One process each; the last one is the head.");
}

function entries(name: string, { about, fields }: LayerKind) {
  const kind = z.literal(name);
  return map({ kind: (name === kindName({}) ? kind.optional() : kind).describe(about), ...fields, method });
}

/** Layers, each as far as what comes before it is known. */
export function completeLayers(
  layers: readonly WrittenLayer[],
  data: DataConfig | undefined,
  loss: Config["loss"] | undefined,
  own: readonly OwnModule<LayerKind>[],
  notes: Notes,
): LayerConfig[] | undefined {
  const head = layers.length - 1;
  let given = data && givenBy(data);
  const complete: LayerConfig[] = [];
  for (const [index, written] of layers.entries()) {
    const found = completeLayer(written, { index, isHead: index === head, given }, own, notes);
    // Of what comes after a layer without a shape nothing can be said.
    if (!found) return undefined;
    complete.push(found.layer);
    given = found.gives;
  }
  const { kind } = layers[head]!;
  if (!kindIn(kind, own).kind.canBeHead)
    notes.wrong(["layers", head, "kind"], kind, "it cannot be the head, which gives labels: dense can");
  else if (data && loss) checkHead(complete[head]!, head, data, loss, notes);
  return data && complete;
}

interface Place {
  readonly index: number;
  readonly isHead: boolean;
  readonly given: Given | undefined;
}

function completeLayer(
  written: WrittenLayer,
  { index, isHead, given }: Place,
  own: readonly OwnModule<LayerKind>[],
  notes: Notes,
): { readonly layer: LayerConfig; readonly gives: Given } | undefined {
  const { kind, module } = kindIn(written.kind, own);
  const refuse = (entry: string, value: unknown, what: string) =>
    notes.wrong(["layers", index, entry], value, what);
  const size = () => kind.size(written, given, refuse, index + 1);
  const at = ["layers", index, "kind"];
  const sized = module ? module.run(size, at, notes) : size();
  if (!sized) return undefined;
  if (!isHead && sized.outputs > MOST_FLOATS)
    refuse(
      "outputs",
      sized.outputs,
      `layer ${index + 1} would give so many floats an example, at most ${MOST_FLOATS}`,
    );
  const { fields } = kind;
  const layer: LayerConfig = {
    ...(module ? { kind: module.name, module: module.digest } : newerKind(written.kind)),
    ...sized,
    nonlinearity: written.nonlinearity ?? (isHead || !("nonlinearity" in fields) ? "identity" : "relu"),
    batchNorm: written.batchNorm ?? (!isHead && "batchNorm" in fields),
    ...(written.method && { method: written.method }),
  };
  const gives = kind.gives?.(layer) ?? { width: layer.outputs };
  return { layer, gives: { ...gives, giver: `layer ${index + 1}` } };
}

/** Nothing for the two kinds that a config never named in its complete form. */
function newerKind(kind: string | undefined): { readonly kind?: string } {
  return kind === undefined || kind === "dense" || kind === "conv" ? {} : { kind };
}

function kindIn(name: string | undefined, own: readonly OwnModule<LayerKind>[]) {
  const module = own.find(({ path }) => path === name);
  return { module, kind: module?.kind ?? layerKinds[kindName({ kind: name }) as keyof typeof layerKinds] };
}

function givenBy(data: DataConfig): Given {
  const { inputWidth, image, sequence } = dataFacts(data);
  return { width: inputWidth, ...(image && { image }), ...(sequence && { sequence }), giver: data.set };
}

function checkHead(
  head: LayerConfig,
  index: number,
  data: DataConfig,
  loss: Config["loss"],
  notes: Notes,
): void {
  const { labelWidth, judged, sequence } = dataFacts(data);
  if (sequence && head.positions !== sequence.positions) {
    const what = `the labels of ${data.set} are one for each position: readout gives these`;
    notes.wrong(["layers", index, "kind"], kindName(head), what);
  }
  if (head.outputs !== labelWidth) {
    const { labels } = labelKinds[judged];
    const { positions = 1 } = head;
    const each = positions > 1 ? " a position" : "";
    const [gives, takes] = [head.outputs / positions, labelWidth / positions];
    const what = `the head gives ${gives} outputs${each}, the labels of ${data.set} are ${takes} ${labels}`;
    notes.wrong(["layers", index, "outputs"], gives, what);
  }
  if (loss !== "mean-squared-error" && head.nonlinearity !== "identity") {
    const what = `${loss} has its own nonlinearity, the head's must be identity`;
    notes.wrong(["layers", index, "nonlinearity"], head.nonlinearity, what);
  }
}
