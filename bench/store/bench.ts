import { randomUUID } from "node:crypto";
import { BUCKET, ObjectServer } from "../../test/support/object-server.ts";
import type { Asked, Bench } from "../harness/bench.ts";
import { BenchRun, cursorOf, sleep } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import type { Table } from "../harness/report.ts";
import { ratioOf, spreadOf } from "../harness/statistics.ts";

const CONFIG = "configs/mnist.yaml";
/** An evaluation would fall into some turns and not into others. Checkpoints come as often as they do for a user. */
const SET = ["run.epochs=1000", "run.evaluateEvery=1000000"];
/** By then every function that matters is compiled. */
const FROM_BATCH = 400;
const SETTLE_MS = 500;
/** Several checkpoints. */
const TURN_MS = 4_000;

const LOCAL = "a disk alone";
/** What two runs differ by when nothing differs. */
const CONTROL = "a disk alone, another run";
const STORE = "a disk, and behind it a store on loopback";

export const bench: Bench = {
  title: "Store: what checkpoints that leave their node cost",
  async run(asked) {
    const server = await ObjectServer.start();
    Object.assign(process.env, server.environment());
    try {
      return {
        tables: [await measure(asked, server)],
        notes: [
          "Three runs take turns of four seconds; the other two stand still (SIGSTOP) meanwhile. The first half second of a turn does not count. The store is @20minutes/s3rver, in the process of the bench: its own work is on the same cores, and counts against the run with a store.",
        ],
      };
    } finally {
      await server.close();
    }
  },
};

async function measure({ isQuick, say }: Asked, server: ObjectServer): Promise<Table> {
  const runs = new Map<string, BenchRun>();
  const rates = new Map<string, number[]>([LOCAL, CONTROL, STORE].map((name) => [name, []]));
  try {
    for (const name of rates.keys()) runs.set(name, await openRun(name === STORE));
    const before = server.counts.get("PUT") ?? 0;
    for (let round = 0; round < (isQuick ? 2 : 10); round++) {
      const turns = [...runs];
      for (const [name, run] of round % 2 === 0 ? turns : turns.toReversed())
        rates.get(name)!.push(await turn(run));
      say([...rates.values()].map((all) => all.at(-1)!.toFixed(0)).join(", "));
    }
    return tableOf(rates, (server.counts.get("PUT") ?? 0) - before);
  } finally {
    for (const run of runs.values()) await run.close();
  }
}

/** Resolves when it trains at full speed, and has been stopped. */
async function openRun(hasStore: boolean): Promise<BenchRun> {
  const prefix = `s3://${BUCKET}/${randomUUID()}`;
  const program = (name: string) => (name === "source" ? "source" : "layer");
  const command = (name: string) => [
    ...["services/start/run.cjs", `services/${program(name)}/main.ts`, "--state", `${prefix}/${name}`],
  ];
  const run = await BenchRun.start({ config: CONFIG, set: SET, ...(hasStore && { command }) });
  await run.headTells((told) => cursorOf(told) >= FROM_BATCH);
  signal(run, "SIGSTOP");
  return run;
}

/** Batches a second. */
async function turn(run: BenchRun): Promise<number> {
  signal(run, "SIGCONT");
  await sleep(SETTLE_MS);
  const first = await nextReport(run);
  await sleep(TURN_MS);
  const last = await nextReport(run);
  signal(run, "SIGSTOP");
  return (1000 * (cursorOf(last.telemetry) - cursorOf(first.telemetry))) / (last.at - first.at);
}

function nextReport(run: BenchRun): ReturnType<BenchRun["headTells"]> {
  const known = cursorOf(run.latest.telemetry);
  return run.headTells((told) => cursorOf(told) > known);
}

function signal(run: BenchRun, name: "SIGSTOP" | "SIGCONT"): void {
  for (const pid of run.pids) process.kill(pid, name);
}

function tableOf(rates: ReadonlyMap<string, readonly number[]>, puts: number): Table {
  const against = (name: string) => ratioOf(rates.get(name)!, rates.get(LOCAL)!);
  return {
    title: `Batches a second of configs/mnist.yaml; ${puts} objects were put meanwhile`,
    columns: ["checkpoints on", "batches/s", "against a disk alone"],
    rows: [...rates].map(([name, all]) => [
      name,
      renderSpread(spreadOf(all), ""),
      renderSpread(against(name), "×"),
    ]),
    bars: [{ of: "with a store", measured: against(STORE).median, unit: "×", least: 0.95 }],
  };
}
