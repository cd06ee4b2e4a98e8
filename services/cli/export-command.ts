import { join } from "node:path";
import type { Command } from "commander";
import { recordLines } from "../../shared/record/run-files.ts";
import { EventFiles } from "../../shared/record/tensorboard/event-files.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { findRun } from "./find-run.ts";

interface ExportOptions {
  readonly tensorboard: string;
  readonly runs: string;
}

export function addExport(program: Command, edges: Edges): void {
  program
    .command("export")
    .description("write the record of a run as other programs read it")
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .requiredOption("--tensorboard <folder>", "event files, a folder for each worker; refused where they are")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .action((wanted: string | undefined, { tensorboard, runs }: ExportOptions) => {
      const names = exportEvents(findRun(runs, wanted), tensorboard);
      edges.out.write(`${names.map((name) => join(tensorboard, name)).join("\n")}\n`);
    });
}

/** Returns the names of the workers, a folder each. Throws a Refusal where it cannot write, or a file is there. */
function exportEvents(folder: string, to: string): string[] {
  const files = new EventFiles(to);
  try {
    files.write([...recordLines(folder)]);
    return files.workers;
  } catch (error) {
    throw new Refusal(`Cannot write event files in ${to}: ${(error as Error).message}`, { cause: error });
  } finally {
    files.close();
  }
}
