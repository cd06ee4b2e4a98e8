import { type Model, openModel } from "../../services/model/model.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { saveRun } from "../../test/support/processes/saved-run.ts";

export const CONFIG = "configs/mnist.yaml";

/** The network of configs/mnist.yaml, saved in `runs` after a few batches: how much it knows makes no difference. */
export async function savedModel(runs: string): Promise<Model> {
  const { config } = loadConfig(CONFIG);
  const { run } = await saveRun(runs, "bench-1", config, await openDataSet(config.data), 8);
  return openModel(run);
}
