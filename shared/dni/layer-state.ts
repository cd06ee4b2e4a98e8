import type { Tensors } from "../math/parameter.ts";
import type { Transform } from "../math/transform.ts";

/** Everything a layer would need to go on after a restart, by name. */
export interface LayerState {
  /** The live arrays: copy them to keep them. */
  readonly tensors: Readonly<Record<string, Float32Array>>;
  readonly counters: Readonly<Record<string, number>>;
}

/** The same tensors under `prefix.name`. */
export function named(prefix: string, tensors: Tensors): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}.${name}`, tensor]));
}

/** Of two whose names differ; of one, if there is no other. */
export function joined(one: LayerState, other: LayerState | undefined): LayerState {
  if (!other) return one;
  return {
    tensors: { ...one.tensors, ...other.tensors },
    counters: { ...one.counters, ...other.counters },
  };
}

/** What every kind of layer keeps: its weights and its optimizer's memory. */
export function transformTensors(transform: Transform): Record<string, Float32Array> {
  return {
    ...named("layer", transform.tensors()),
    ...named("optimizer.layer", transform.optimizerTensors()),
  };
}

/**
 * Copies `saved` into the live arrays of `live`; names that `live` does not know are left out. Throws an Error that
 * lists every missing and mis-sized name, having changed nothing. Counters are the caller's to set, once this returned.
 */
export function restoreTensors(live: LayerState, saved: LayerState): void {
  const troubles = [...tensorTroubles(live, saved), ...counterTroubles(live, saved)];
  if (troubles.length > 0) throw new Error(`Cannot restore a layer: ${troubles.join("; ")}`);
  for (const [name, tensor] of Object.entries(live.tensors)) tensor.set(saved.tensors[name]!);
}

function tensorTroubles(live: LayerState, saved: LayerState): string[] {
  return Object.entries(live.tensors).flatMap(([name, tensor]) => {
    const found = saved.tensors[name];
    if (!found) return [`${name} is missing`];
    if (found.length === tensor.length) return [];
    return [`${name} has ${found.length} floats, this layer has ${tensor.length}`];
  });
}

function counterTroubles(live: LayerState, saved: LayerState): string[] {
  const missing = Object.keys(live.counters).filter((name) => saved.counters[name] === undefined);
  return missing.map((name) => `${name} is missing`);
}
