import { realpathSync } from "node:fs";
import { join } from "node:path";
import { merge } from "../../shared/record/curves/segments.ts";
import { linesOf } from "../../shared/record/files/line-file.ts";
import { RunRecord } from "../../shared/record/run-record.ts";
import { layerName, workerNames } from "../../shared/record/worker-name.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { logFile } from "../train/run-folder.ts";
import { train } from "../train/train.ts";
import type { Evaluation, Health, Trial } from "./trial.ts";

/** Where the config is, and where its run is kept. */
interface Asked {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly runs: string;
}

/** The same by `train`: every layer its own process. Rejects with a Refusal unless the run ends well. */
export async function trainServices(asked: Asked, edges: Edges): Promise<Trial> {
  const { file, overrides, runs } = asked;
  const silent = { ...edges, out: { write: () => true } };
  const request = {
    ...{
      config: file,
      overrides,
      resume: undefined,
      foreign: new Map(),
      fromSnapshot: undefined,
      runs,
      quiet: true,
    },
    // Its hub keeps the record that the trial is read from.
    dashboard: { port: 0, control: false },
    isTraced: false,
    hasEventFiles: false,
  };
  const code = await train(request, silent);
  const folder = realpathSync(join(runs, "latest"));
  if (code !== 0) throw new Refusal(`Cannot compare ${file}: its run ended with code ${code}, see ${folder}`);
  return trialOf(RunRecord.read(folder));
}

/** Throws a RecordError where the run has no summary. */
function trialOf(record: RunRecord): Trial {
  const { config, folder, summary } = record;
  const [, ...layers] = workerNames(config);
  return {
    seed: config.seed,
    curve: curveOf(record),
    wallSeconds: summary!.wallSeconds,
    kernels: [...new Set(layers.map((worker) => kernelsIn(logFile(folder, worker))))].join(" and "),
    health: layers.slice(0, -1).flatMap((_, index) => healthOf(record, index + 1)),
  };
}

/** The last evaluation is in the summary, whatever became of the hub. */
function curveOf({ standing, summary }: RunRecord): Evaluation[] {
  const { batches, test } = summary!;
  const before = standing.evaluations.filter(({ batch }) => batch < batches);
  return [...before.map(({ batch, test }) => ({ batch, test })), { batch: batches, test }];
}

/** Over the last tenth of the run, as in one process. */
function healthOf({ config, standing }: RunRecord, layer: number): Health[] {
  const last = standing
    .segments(layerName(layer))
    .filter((segment) => segment.last >= 0.9 * config.run.batches);
  if (last.length === 0) return [];
  const { generatorError: error, cosine } = merge(last);
  return error === undefined ? [] : [{ layer, error, ...(cosine !== undefined && { cosine }) }];
}

function kernelsIn(log: string): string {
  let kernels: unknown;
  for (const line of linesOf(log)) {
    if (!line.includes('"msg":"started"')) continue;
    ({ kernels } = JSON.parse(line) as { readonly kernels?: unknown });
  }
  return String(kernels ?? "unknown");
}
