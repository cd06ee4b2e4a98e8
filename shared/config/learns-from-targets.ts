import { learningOfLayer } from "../dni/build-layer.ts";
import { isLocked } from "../dni/layer-options.ts";
import type { Config } from "./config.ts";

/** Whether a target changes this layer, from 1: then it matters when it was learnt, and a free run writes that down. */
export function learnsFromTargets(config: Config, layer: number): boolean {
  const learning = learningOfLayer(config, layer);
  return layer < config.layers.length && !isLocked(learning) && learning.method !== "local";
}
