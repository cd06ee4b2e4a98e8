import type { Command } from "commander";
import { chain } from "./chain.ts";
import type { Edges } from "./edges.ts";
import { colours } from "./paint.ts";
import { findRun } from "./record.ts";
import { standOf } from "./stand.ts";

export function addStatus(program: Command, edges: Edges): void {
  program
    .command("status")
    .description("say how the workers of a run stand: of the hub that watches it, else of its files")
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .option("--json", "as JSON", false)
    .action(async (wanted: string | undefined, { runs, json }: { runs: string; json: boolean }) => {
      const now = edges.date().getTime();
      const stand = await standOf(findRun(runs, wanted), now);
      const lines = json ? [JSON.stringify(stand, null, 2)] : chain(stand, now, colours(edges.isLive));
      edges.out.write(`${lines.join("\n")}\n`);
    });
}
