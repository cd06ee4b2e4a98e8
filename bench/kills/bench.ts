import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Asked, Bench } from "../harness/bench.ts";
import { BenchRun } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import type { Table } from "../harness/report.ts";
import { ratioOf, spreadOf } from "../harness/statistics.ts";
import { changeInTurns, type Turns } from "../harness/turns.ts";
import { ALL, KIND_FILE, NAMES, type Name, NOTHING } from "./kinds.ts";

const CONFIG = "configs/mnist.yaml";
/** An evaluation would fall into some turns and not into others. Checkpoints come as often as they do for a user. */
const SET = ["run.epochs=1000", "run.evaluateEvery=1000000"];

export const bench: Bench = {
  title: "Kills: what it costs that they leave no trace",
  async run(asked) {
    return {
      tables: [await measure(asked)],
      notes: [
        "The layers of one free run, in which nothing dies, are told in turn to keep everything, nothing, or all but the order, for four seconds each; half a second after each change does not count. The order is written with a system call for each batch, without fsync; what was sent is copied, and goes into checkpoints as far as neighbours may lack it.",
      ],
    };
  },
};

async function measure(asked: Asked): Promise<Table> {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-kills-"));
  try {
    return tableOf(await changing(asked, join(folder, "kind")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `kindFile`: the layers read there what they are to be. */
function changing({ isQuick, say }: Asked, kindFile: string): Promise<Turns<Name>> {
  const become = ({ pids: [, ...layers] }: BenchRun, name: Name) => {
    writeFileSync(kindFile, name);
    for (const pid of layers) process.kill(pid, "SIGUSR2");
  };
  process.env[KIND_FILE] = kindFile;
  return changeInTurns(NAMES, openRun, become, { rounds: isQuick ? 2 : 12, say });
}

function tableOf(turns: Turns<Name>): Table {
  const against = (name: Name) => ratioOf(turns.perSecond[name], turns.perSecond[NOTHING]);
  const spent = (name: Name) => ratioOf(turns.processorMs[name], turns.processorMs[NOTHING]);
  return {
    title: `Batches a second of ${CONFIG}`,
    columns: ["layers", "batches/s", "against nothing kept", "processor ms a batch", "against nothing kept"],
    rows: NAMES.map((name) =>
      rowOf(turns, name, renderSpread(against(name), "×"), renderSpread(spent(name), "×")),
    ),
    bars: [
      { of: "batches a second as it is", measured: against(ALL).median, unit: "×", least: 0.98 },
      { of: "processor time as it is", measured: spent(ALL).median, unit: "×", most: 1.02 },
    ],
  };
}

function rowOf(turns: Turns<Name>, name: Name, against: string, spent: string): string[] {
  return [
    name,
    renderSpread(spreadOf(turns.perSecond[name]), ""),
    against,
    renderSpread(spreadOf(turns.processorMs[name]), ""),
    spent,
  ];
}

function openRun(): Promise<BenchRun> {
  const program = (worker: string) =>
    worker === "source" ? "services/source/main.ts" : "bench/kills/layer-that-changes.ts";
  const command = (worker: string) => ["--import", "tsx", program(worker)];
  return BenchRun.start({ config: CONFIG, set: SET, command });
}
