import { kindName } from "../../shared/layers/kinds.ts";
import { OnnxGraph } from "../../shared/layers/onnx-graph.ts";
import { Refusal } from "../train/refusal.ts";
import { layersOf, type Model, type ModelLayer } from "./model.ts";
import { encodeOnnx, type OnnxPort } from "./onnx-file.ts";
import { inputsOf } from "./onnx-inputs.ts";

/**
 * Evaluation's network as an ONNX file: the data set's preprocessing, every layer, and the loss's nonlinearity. Throws a
 * Refusal that names the layer whose kind says nothing of ONNX.
 */
export function onnxOf(model: Model): Uint8Array {
  const { run, config, facts, saved } = model;
  const layers = layersOf(model);
  for (const layer of layers) requireOnnx(model, layer);
  const graph = new OnnxGraph();
  const { ports, value: input } = inputsOf(graph, facts);
  const logits = layers.reduce(
    (value, { kind, spec, tensors }) => kind.onnx!(graph, value, spec, tensors),
    input,
  );
  const outputs = namedOutputs(graph, logits, model);
  const names = facts.labels?.map(({ name }) => name);
  const metadata = {
    ...{ run, batch: String(saved.batch), config: config.name, loss: config.loss },
    ...(names && { labels: JSON.stringify(names) }),
    ...(facts.columns && { columns: JSON.stringify(facts.columns) }),
    ...(facts.characters !== undefined && { characters: facts.characters }),
    ...(facts.tokens && { tokens: JSON.stringify(facts.tokens) }),
  };
  return encodeOnnx(graph, { name: run, inputs: ports, outputs, metadata });
}

function requireOnnx({ run }: Model, { number, kind, spec }: ModelLayer): void {
  if (kind.onnx) return;
  throw new Refusal(
    `Cannot export ${run} to ONNX: layer ${number} is of kind ${kindName(spec)}, which has no onnx part`,
  );
}

/** Logits and probabilities; or values, in the units of the labels, where the loss is the mean squared error. */
function namedOutputs(graph: OnnxGraph, logits: string, { config, facts }: Model): OnnxPort[] {
  const { outputs, positions } = config.layers.at(-1)!;
  const shape = positions === undefined ? [outputs] : [positions, outputs / positions];
  const result = positions === undefined ? logits : graph.reshape(logits, [-1, ...shape]);
  if (config.loss === "mean-squared-error") {
    graph.name(facts.judged === "values" ? inUnits(graph, result, facts.labels ?? []) : result, "values");
    return [{ name: "values", type: "float", shape }];
  }
  const isSoftmax = config.loss === "softmax-cross-entropy";
  graph.name(result, "logits");
  graph.name(
    isSoftmax ? graph.add("Softmax", [result], { axis: -1 }) : graph.add("Sigmoid", [result]),
    "probabilities",
  );
  return ["logits", "probabilities"].map((name) => ({ name, type: "float", shape }));
}

function inUnits(
  graph: OnnxGraph,
  values: string,
  labels: readonly { readonly mean?: number | undefined; readonly deviation?: number | undefined }[],
): string {
  const constant = (of: (label: (typeof labels)[number]) => number) =>
    graph.floats(Float32Array.from(labels, of));
  const scaled = graph.add("Mul", [values, constant(({ deviation = 1 }) => deviation)]);
  return graph.add("Add", [scaled, constant(({ mean = 0 }) => mean)]);
}
