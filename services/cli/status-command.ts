import type { Command } from "commander";
import type { Edges } from "../train/edges.ts";
import { colours } from "../train/paint.ts";
import { findRun } from "./find-run.ts";
import { runStatus } from "./run-status.ts";
import { statusView } from "./status-view.ts";

export function addStatus(program: Command, edges: Edges): void {
  program
    .command("status")
    .description("say how the workers of a run stand: of the hub that watches it, else of its files")
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .option("--json", "as JSON", false)
    .action(async (wanted: string | undefined, { runs, json }: { runs: string; json: boolean }) => {
      const now = edges.date().getTime();
      const stand = await runStatus(findRun(runs, wanted), now);
      const lines = json ? [JSON.stringify(stand, null, 2)] : statusView(stand, now, colours(edges.isLive));
      edges.out.write(`${lines.join("\n")}\n`);
    });
}
