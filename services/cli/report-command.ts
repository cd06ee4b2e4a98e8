import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { RunRecord } from "../../shared/record/run-record.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { findRun } from "./find-run.ts";
import { report } from "./report.ts";

interface ReportOptions {
  readonly compare?: readonly string[];
  readonly output?: string;
  readonly runs: string;
}

export function addReport(program: Command, edges: Edges): void {
  program
    .command("report")
    .description("write a page about a run that needs neither a script nor a network")
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--compare <run...>", "others to draw beside it, a baseline say")
    .option(
      "-o, --output <file>",
      "where to (default: report.html in the run's folder; - is standard output)",
    )
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .action((wanted: string | undefined, { compare = [], output, runs }: ReportOptions) => {
      const folder = findRun(runs, wanted);
      const others = compare.map((each) => RunRecord.read(findRun(runs, each)));
      const page = report(RunRecord.read(folder), edges.date().getTime(), others);
      if (output === "-") return void edges.out.write(page);
      const path = output ?? join(folder, "report.html");
      save(path, page);
      edges.out.write(`${path}\n`);
    });
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Refusal(`Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}
