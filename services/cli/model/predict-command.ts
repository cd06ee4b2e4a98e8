import { type Command, Option } from "commander";
import { openModel } from "../../model/model.ts";
import { type PredictRequest, predict } from "../../model/predict.ts";
import type { Edges } from "../../train/edges.ts";
import { runAt } from "./open-run.ts";

interface PredictOptions extends Pick<PredictRequest, "format"> {
  readonly snapshot?: boolean;
  readonly runs: string;
}

export function addPredict(program: Command, edges: Edges): void {
  program
    .command("predict")
    .description("say what a run's network makes of rows, arrays or images, also while it trains")
    .argument("<run>", 'its id, the beginning of one, "latest", or a folder')
    .argument("[files...]", "CSV, a JSON array or object a line, PNG, JPEG, npy; - is standard input", ["-"])
    .addOption(
      new Option("--format <format>", "what it writes, a line an example")
        .choices(["ndjson", "csv"])
        .default("ndjson"),
    )
    .option("--snapshot", "by the newest snapshot, in place of the newest checkpoints")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .action(async (wanted: string, files: readonly string[], options: PredictOptions) => {
      const { snapshot, format, runs } = options;
      const model = await openModel(runAt(runs, wanted), { isSnapshot: snapshot });
      const { kernels } = edges.kernels(model.config.compute.kernels);
      await predict(model, { files, format }, kernels, edges.input, (text) => edges.out.write(text));
    });
}
