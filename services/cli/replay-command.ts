import type { Command } from "commander";
import { openDataSet } from "../../shared/data/kinds.ts";
import { layerName } from "../../shared/record/worker-name.ts";
import { type RecordedRun, recordedRun } from "../replay/recorded-run.ts";
import { replay } from "../replay/replay.ts";
import type { Edges } from "../train/edges.ts";
import { findRun } from "./find-run.ts";

const DIFFERS = 1;

/** `unlocked replay [run]`: the exit code says whether every layer came to the same weights. */
export function addReplay(program: Command, edges: Edges, done: (code: number) => void): void {
  program
    .command("replay")
    .description(
      "compute a finished run once more in one process, and hold its weights against those of the run",
    )
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .action(async (wanted: string | undefined, { runs }: { readonly runs: string }) => {
      const run = await recordedRun(findRun(runs, wanted));
      const data = await openDataSet(run.config.data, run.config.loss);
      const { kernels } = edges.kernels(run.config.compute.kernels);
      const found = replay(run.config, data, kernels, run.orders);
      edges.out.write(verdictOn(run, found));
      done(found.every((digest, index) => digest === run.digests[index]) ? 0 : DIFFERS);
    });
}

function verdictOn({ config, digests, again }: RecordedRun, found: readonly string[]): string {
  const isSame = found.every((digest, index) => digest === digests[index]);
  const lines = found.map((digest, index) => {
    const verdict = digest === digests[index] ? "the same" : `expected ${digests[index]}`;
    return `${layerName(index + 1)}  ${digest}  ${verdict}`;
  });
  for (const { worker, first, last } of again)
    lines.push(
      `${worker} applied batches ${first} to ${last} more than once: that recovery was ${isSame ? "exact" : "not exact"}`,
    );
  if (!isSame && again.length === 0)
    lines.push("no layer applied a batch twice: targets were lost with a link, or rates were halved");
  const verdict = isSame ? "the weights of the run, to the bit" : "other weights than the run's";
  return [...lines, `${config.run.batches} batches computed again: ${verdict}`, ""].join("\n");
}
