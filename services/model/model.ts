import { findSnapshot, type Places } from "../../shared/checkpoint/go-back.ts";
import { newestNetwork, type SavedNetwork } from "../../shared/checkpoint/saved-network.ts";
import type { Config, LayerConfig } from "../../shared/config/config.ts";
import { type DataFacts, dataFacts } from "../../shared/config/data-facts.ts";
import { kindOf } from "../../shared/layers/kinds.ts";
import type { LayerKind, Shape } from "../../shared/layers/layer-kind.ts";
import type { Tensors } from "../../shared/math/parameter.ts";
import { placesOf } from "../train/go-back-to.ts";
import { Refusal } from "../train/refusal.ts";
import type { RunFolder } from "../train/run-folder.ts";

/** A run's network as it was saved at one batch. */
export interface Model {
  readonly run: string;
  readonly config: Config;
  readonly facts: DataFacts;
  readonly saved: SavedNetwork;
}

/** A layer as it leaves this program. */
export interface ModelLayer {
  readonly number: number;
  readonly spec: LayerConfig;
  readonly kind: LayerKind;
  /** What comes to it. */
  readonly given: Shape;
  /** By the names of its transform's. */
  readonly tensors: Tensors;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

/**
 * The newest state that all layers saved at one batch, or that of the newest snapshot; nothing changes, so the run may be
 * training. Throws a Refusal where there is none.
 */
export async function openModel(
  run: RunFolder,
  { isSnapshot = false }: { readonly isSnapshot?: boolean | undefined } = {},
): Promise<Model> {
  const { id, config } = run;
  const places = placesOf(run);
  const saved = isSnapshot ? await newestSnapshot(places) : await newestNetwork(places);
  if (saved) return { run: id, config, facts: dataFacts(config.data), saved };
  const why = isSnapshot
    ? "it has no whole snapshot"
    : `its layers have saved nothing of one batch, the first checkpoints come after ${config.run.checkpointEvery} batches`;
  throw new Refusal(`Cannot open the network of ${id}: ${why}`);
}

async function newestSnapshot(places: Places): Promise<SavedNetwork | undefined> {
  const { found } = await findSnapshot(places);
  return found && { batch: found.manifest.batch, layers: found.shares };
}

/** Layer 1 first. */
export function layersOf({ config, facts, saved }: Model): ModelLayer[] {
  let given: Shape = {
    width: facts.inputWidth,
    ...(facts.image && { image: facts.image }),
    ...(facts.sequence && { sequence: facts.sequence }),
  };
  return config.layers.map((spec, index) => {
    const kind = kindOf(spec);
    const { tensors, shapes = {} } = saved.layers[index]!;
    const layer = {
      ...{ number: index + 1, spec, kind, given },
      ...{ tensors: learnt(tensors), shapes: learnt(shapes) },
    };
    given = kind.gives?.(spec) ?? { width: spec.outputs };
    return layer;
  });
}

const PREFIX = "layer.";

/** What the transform has, under its own names; nothing of generators and optimizers. */
function learnt<T>(named: Readonly<Record<string, T>>): Record<string, T> {
  const entries = Object.entries(named).filter(([name]) => name.startsWith(PREFIX));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(PREFIX.length), value]));
}
