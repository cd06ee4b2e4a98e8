import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../shared/config/config.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { logFile } from "../train/run-folder.ts";
import { readSummary } from "../train/summary.ts";
import { train } from "../train/train.ts";
import type { Evaluation, Health, Trial } from "./trial.ts";

/** Where the config is, and where its run is kept. */
export interface Asked {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly runs: string;
}

/** The same by `train`: every layer its own process. Rejects with a Refusal unless the run ends well. */
export async function trainServices(config: Config, asked: Asked, edges: Edges): Promise<Trial> {
  const { file, overrides, runs } = asked;
  const silent = { ...edges, out: { write: () => true } };
  const request = {
    ...{ config: file, overrides, resume: undefined, fromSnapshot: undefined, runs, quiet: true },
    dashboard: undefined,
    isTraced: false,
    hasEventFiles: false,
  };
  const code = await train(request, silent);
  const folder = join(runs, "latest");
  if (code !== 0)
    throw new Refusal(`Cannot compare ${file}: its run ended with code ${code}, see ${realpathSync(folder)}`);
  const { wallSeconds } = readSummary(folder);
  const layers = config.layers.length;
  return {
    seed: config.seed,
    curve: curveIn(readLog(folder, layers)),
    wallSeconds,
    kernels: [...new Set(range(layers).map((layer) => kernelsIn(readLog(folder, layer))))].join(" and "),
    health: range(layers - 1).flatMap((layer) => healthIn(layer, readLog(folder, layer))),
  };
}

type Line = Readonly<Record<string, unknown>>;

function readLog(folder: string, layer: number): Line[] {
  const text = readFileSync(logFile(folder, `layer${layer}`), "utf8");
  return text.split("\n").flatMap((line) => {
    try {
      return line.startsWith("{") ? [JSON.parse(line) as Line] : [];
    } catch {
      return [];
    }
  });
}

/** What the head said of evaluations; a life that began again may have said some twice. */
function curveIn(lines: readonly Line[]): Evaluation[] {
  const found = new Map<number, Evaluation>();
  for (const { msg, batch, loss, error, exact } of lines) {
    if (msg !== "evaluated" || typeof batch !== "number") continue;
    const test = { loss: Number(loss), error: Number(error) };
    found.set(batch, { batch, test: typeof exact === "number" ? { ...test, exact } : test });
  }
  return [...found.values()];
}

/** The last that it said of itself: a layer says so every few seconds. */
function healthIn(layer: number, lines: readonly Line[]): Health[] {
  const last = lines.findLast(({ generatorError }) => typeof generatorError === "number");
  if (!last) return [];
  const { generatorError, generatorCosine } = last;
  const cosine = typeof generatorCosine === "number" ? { cosine: generatorCosine } : {};
  return [{ layer, error: Number(generatorError), ...cosine }];
}

function kernelsIn(lines: readonly Line[]): string {
  return String(lines.findLast(({ msg }) => msg === "started")?.kernels ?? "unknown");
}

/** 1 … count. */
function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
