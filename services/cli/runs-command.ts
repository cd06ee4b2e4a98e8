import { join } from "node:path";
import type { Command } from "commander";
import { ConfigError } from "../../shared/config/read-config.ts";
import { headline } from "../../shared/record/curves/judged.ts";
import { runIds } from "../../shared/record/files/run-files.ts";
import { stopwatch, UNKNOWN } from "../../shared/record/numbers.ts";
import { RunRecord, type RunState } from "../../shared/record/run-record.ts";
import { RecordError } from "../../shared/record/summary.ts";
import type { TestResult } from "../../shared/wire/frames.ts";
import type { Edges } from "../train/edges.ts";
import { wholeNumber } from "./arguments.ts";
import { statusFromFiles } from "./run-status.ts";

/** A run as the list shows it. */
interface ListedRun {
  readonly run: string;
  readonly state: RunState | "unreadable";
  readonly method?: string;
  /** Batches done, of how many. */
  readonly done?: number;
  readonly batches?: number;
  readonly test?: TestResult;
  readonly seconds?: number;
}

const NEWEST = "20";

export function addRuns(program: Command, edges: Edges): void {
  program
    .command("runs")
    .description("list the runs that were trained here, newest first")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .option("-n, --newest <n>", "how many", NEWEST)
    .option("--json", "as JSON, an array", false)
    .action((options: { runs: string; newest: string; json: boolean }) => {
      const all = runIds(options.runs);
      const rows = all
        .slice(0, wholeNumber("--newest", options.newest))
        .map((id) => listed(options.runs, id, edges.date().getTime()));
      edges.out.write(
        options.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows, options.runs, all.length),
      );
    });
}

function listed(runs: string, id: string, now: number): ListedRun {
  try {
    const record = RunRecord.read(join(runs, id));
    const { run, state, method, batch, batches, test } = statusFromFiles(record, now);
    return { run, state, method, done: batch + 1, batches, ...(test && { test }), seconds: record.seconds };
  } catch (error) {
    // Of another version, say: one such run must not hide the others.
    if (error instanceof ConfigError || error instanceof RecordError) return { run: id, state: "unreadable" };
    throw error;
  }
}

function table(rows: readonly ListedRun[], runs: string, all: number): string {
  if (rows.length === 0) return `There is no run in ${runs} yet; npm start trains one.\n`;
  const cells = [
    ["run", "state", "learning", "batches", "test", "time"],
    ...rows.map(({ run, state, method, done, batches, test, seconds }) => [
      run,
      state,
      method ?? UNKNOWN,
      done === undefined ? UNKNOWN : `${done}/${batches}`,
      headline(test).value,
      stopwatch(seconds),
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  const rest = all > rows.length ? [`(${all - rows.length} older ones: --newest ${all})`] : [];
  return `${[...lines, ...rest].join("\n")}\n`;
}
