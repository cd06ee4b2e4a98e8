import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunFolder } from "../../../services/train/run-folder.ts";
import { SnapshotStore } from "../../../shared/checkpoint/snapshot-store.ts";
import { CheckpointStore } from "../../../shared/checkpoint/store.ts";
import { canonicalYaml } from "../../../shared/config/canonical-yaml.ts";
import type { Config } from "../../../shared/config/config.ts";
import { configHash } from "../../../shared/config/hash.ts";
import type { DataSet } from "../../../shared/data/data-set.ts";
import type { ReferenceChain } from "../../../shared/dni/reference-chain.ts";
import { referenceChain } from "../../../shared/layers/network.ts";
import { shapesOf } from "../../../shared/math/parameter.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";

/** A run that learnt a few batches, in this process, and saved itself as layers do. */
export interface SavedRun {
  readonly run: RunFolder;
  readonly chain: ReferenceChain;
}

export async function saveRun(
  runs: string,
  id: string,
  config: Config,
  set: DataSet,
  batches: number,
): Promise<SavedRun> {
  const chain = referenceChain(wasmKernels({ megabytes: 512 }), config, {
    staleness: 1,
    inputScale: set.inputScale,
  });
  for (let n = 0; n < batches; n++) chain.train(set.batch(config.seed, n, config.run.batchSize), n);
  chain.drain();
  const run = { id, path: join(runs, id), config };
  for (let layer = 1; layer <= config.layers.length; layer++) {
    mkdirSync(stateOf(run, layer), { recursive: true });
    await new CheckpointStore(stateOf(run, layer)).write(checkpointOf({ run, chain }, layer, batches));
  }
  writeFileSync(join(run.path, "config.yaml"), canonicalYaml(config));
  return { run, chain };
}

/** As it is now, after so many batches; the digest of each layer's share. */
export async function saveSnapshot(saved: SavedRun, name: string, batches: number): Promise<string[]> {
  const layers = saved.run.config.layers.map((_, index) => index + 1);
  const store = (layer: number) => new SnapshotStore(stateOf(saved.run, layer));
  return Promise.all(
    layers.map((layer) => store(layer).write(name, checkpointOf(saved, layer, batches), [])),
  );
}

export function checkpointOf({ run, chain }: SavedRun, layer: number, batches: number) {
  const { id, config } = run;
  const state = chain.states()[layer - 1]!;
  return {
    ...{ run: id, layer, incarnation: 1, cursor: batches - 1, batches: config.run.batches },
    ...{ configHash: configHash(config), finished: batches === config.run.batches },
    ledger: [[0, batches - 1] as const],
    ...state,
    shapes: shapesOf(state.tensors),
  };
}

function stateOf({ path }: RunFolder, layer: number): string {
  return join(path, "checkpoints", `layer${layer}`);
}
