import type { Asked, Bench } from "../harness/bench.ts";
import { BenchRun } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import type { Table } from "../harness/report.ts";
import { ratioOf, spreadOf } from "../harness/statistics.ts";
import { type Turns, takeTurns } from "../harness/turns.ts";

const CONFIG = "configs/mnist.yaml";
/** An evaluation would fall into some turns and not into others. Checkpoints come as often as they do for a user. */
const SET = ["run.epochs=1000", "run.evaluateEvery=1000000"];
/** A worker that dies leaves a trace there. */
const NOTHING = "nothing kept, no order written";
const NO_ORDER = "no order written";
const ALL = "as it is";
/** What two runs differ by when nothing differs. */
const CONTROL = "as it is, another run";
const NAMES = [NOTHING, NO_ORDER, ALL, CONTROL] as const;

type Name = (typeof NAMES)[number];

const PROGRAMS: Readonly<Record<Name, string>> = {
  [NOTHING]: "bench/kills/layer-that-keeps-nothing.ts",
  [NO_ORDER]: "bench/kills/layer-without-order.ts",
  [ALL]: "services/layer/main.ts",
  [CONTROL]: "services/layer/main.ts",
};

export const bench: Bench = {
  title: "Kills: what it costs that they leave no trace",
  async run(asked) {
    return {
      tables: [await measure(asked)],
      notes: [
        "Four free runs, in which nothing dies, take turns of four seconds; the other three stand still (SIGSTOP) meanwhile. The first half second of a turn does not count. The order is written with a system call for each batch, without fsync; what was sent is copied, and goes into checkpoints as far as neighbours may lack it.",
      ],
    };
  },
};

async function measure({ isQuick, say }: Asked): Promise<Table> {
  const turns = await takeTurns(NAMES, openRun, { rounds: isQuick ? 2 : 12, say });
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

function openRun(name: Name): Promise<BenchRun> {
  const program = (worker: string) => (worker === "source" ? "services/source/main.ts" : PROGRAMS[name]);
  const command = (worker: string) => ["--import", "tsx", program(worker)];
  return BenchRun.start({ config: CONFIG, set: SET, command });
}
