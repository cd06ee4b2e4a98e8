import { type Model, openModel } from "../../../services/model/model.ts";
import { prepareConfig } from "../../../shared/config/read-config.ts";
import type { DataSet } from "../../../shared/data/data-set.ts";
import { openDataSet } from "../../../shared/data/kinds.ts";
import { saveRun } from "../../support/processes/saved-run.ts";

/** A config of ours, trained for four batches and saved in `runs` under `id`. */
export async function modelOf(
  runs: string,
  id: string,
  file: string,
  ...overrides: string[]
): Promise<{ readonly model: Model; readonly set: DataSet }> {
  const all = ["run.batchSize=16", "run.evaluateEvery=4", ...overrides];
  const { config: whole } = await prepareConfig(file, all);
  const config = { ...whole, run: { ...whole.run, batches: 4, snapshotEvery: 0 } };
  const set = await openDataSet(config.data);
  const { run } = await saveRun(runs, id, config, set, 4);
  return { model: await openModel(run), set };
}
