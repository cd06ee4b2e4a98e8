import { encode } from "../../shared/checkpoint/safetensors.ts";
import { layersOf, type Model, type ModelLayer } from "./model.ts";

/**
 * A network's weights as PyTorch has them: `layer1.linear.weight`, outputs × inputs, and so on. What the weights belong to is
 * in the metadata, as text.
 */
export function safetensorsOf(model: Model): Buffer {
  const { run, config, saved, facts } = model;
  const tensors: Record<string, Float32Array> = {};
  const shapes: Record<string, readonly number[]> = {};
  const layers = layersOf(model);
  for (const layer of layers) {
    for (const [name, { values, shape }] of Object.entries(torchTensors(layer))) {
      const path = `layer${layer.number}.${name}`;
      tensors[path] = values;
      shapes[path] = shape;
    }
  }
  const metadata = {
    ...{ format: "pt", run, batch: String(saved.batch), loss: config.loss },
    layers: JSON.stringify(layers.map(({ spec }) => spec)),
    ...(facts.inputScale !== undefined && { inputScale: String(facts.inputScale) }),
  };
  return encode({ tensors, metadata, shapes });
}

function torchTensors({ kind, spec, given, tensors, shapes }: ModelLayer) {
  if (kind.torch) return kind.torch(spec, tensors, given);
  const asTheyAre = Object.entries(tensors).map(([name, values]) => {
    const shape = shapes[name] ?? [values.length];
    return [name, { values, shape }] as const;
  });
  return Object.fromEntries(asTheyAre);
}
