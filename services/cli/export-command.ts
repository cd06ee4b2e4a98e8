import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { EventLine, MetricLine } from "../../shared/run/record-lines.ts";
import { byPlace } from "../../shared/run/standing.ts";
import { recordLines } from "../hub/run-files.ts";
import type { Edges } from "./edges.ts";
import { findRun } from "./record.ts";
import { Refusal } from "./refusal.ts";
import { eventFileHead, eventRecord } from "./tensorboard.ts";

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
  // Two files of one worker would be drawn as one curve that goes to and fro.
  const lines = [...recordLines(folder)].filter(isOfWorker).toSorted(inTime);
  const files = new Map<string, number>();
  try {
    for (const line of lines) {
      const bytes = eventRecord(line);
      if (bytes === undefined) continue;
      const file = files.get(line.worker) ?? openEvents(join(to, line.worker), line.at);
      files.set(line.worker, file);
      writeSync(file, bytes);
    }
  } catch (error) {
    throw new Refusal(`Cannot write event files in ${to}: ${(error as Error).message}`, { cause: error });
  } finally {
    for (const file of files.values()) closeSync(file);
  }
  return [...files.keys()].toSorted(byPlace);
}

function isOfWorker({ worker }: MetricLine | EventLine): boolean {
  return worker === "source" || /^layer\d+$/.test(worker);
}

// A life's beginning stands in another file than what it learnt.
function inTime(a: MetricLine | EventLine, b: MetricLine | EventLine): number {
  return a.incarnation - b.incarnation || a.at - b.at;
}

function openEvents(folder: string, at: number): number {
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, `events.out.tfevents.${Math.floor(at / 1000)}.unlocked`), "wx");
  writeSync(file, eventFileHead(at));
  return file;
}
