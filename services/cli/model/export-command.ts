import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { recordLines } from "../../../shared/record/files/run-files.ts";
import { EventFiles } from "../../../shared/record/tensorboard/event-files.ts";
import { type Model, openModel } from "../../model/model.ts";
import { onnxOf } from "../../model/onnx.ts";
import { safetensorsOf } from "../../model/safetensors.ts";
import type { Edges } from "../../train/edges.ts";
import { Refusal } from "../../train/refusal.ts";
import { findRun } from "../find-run.ts";
import { runAt } from "./open-run.ts";

interface ExportOptions {
  readonly tensorboard?: string;
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly snapshot?: boolean;
  readonly runs: string;
}

export function addExport(program: Command, edges: Edges): void {
  program
    .command("export")
    .description("write a run's network, or its record, as other programs read it, also while it trains")
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--onnx <file>", "the network as evaluations use it, with the preprocessing of its data")
    .option("--safetensors <file>", "the weights, under PyTorch's names and turned as PyTorch has them")
    .option("--snapshot", "the network of the newest snapshot, in place of the newest checkpoints")
    .option("--tensorboard <folder>", "event files, a folder for each worker; refused where they are")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .action(async (wanted: string | undefined, options: ExportOptions) => {
      const { tensorboard, onnx, safetensors, snapshot, runs } = options;
      if (tensorboard === undefined && onnx === undefined && safetensors === undefined)
        throw new Refusal("Cannot export: expected --onnx, --safetensors or --tensorboard");
      if (tensorboard !== undefined) {
        const names = exportEvents(findRun(runs, wanted), tensorboard);
        edges.out.write(`${names.map((name) => join(tensorboard, name)).join("\n")}\n`);
      }
      if (onnx === undefined && safetensors === undefined) return;
      const model = await openModel(runAt(runs, wanted), { isSnapshot: snapshot });
      // Both are made before one is written: a request for two gives two or none.
      const files = [...made(onnx, model, onnxOf), ...made(safetensors, model, safetensorsOf)];
      for (const { path, bytes } of files) save(path, bytes);
      const { batches } = model.config.run;
      for (const { path } of files)
        edges.out.write(`${path}: ${model.run} after ${model.saved.batch} of ${batches} batches\n`);
    });
}

interface ExportFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

function made(path: string | undefined, model: Model, make: (model: Model) => Uint8Array): ExportFile[] {
  return path === undefined ? [] : [{ path, bytes: make(model) }];
}

function save(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new Refusal(`Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
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
