import { randomUUID } from "node:crypto";
import { BUCKET, ObjectServer } from "../../test/support/engines/object-server.ts";
import type { Asked, Bench } from "../harness/bench.ts";
import { BenchRun } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import type { Table } from "../harness/report.ts";
import { type Rounds, ratioOf, spreadOf } from "../harness/statistics.ts";
import { takeTurns } from "../harness/turns.ts";

const CONFIG = "configs/mnist.yaml";
/** An evaluation would fall into some turns and not into others. Checkpoints come as often as they do for a user. */
const SET = ["run.epochs=1000", "run.evaluateEvery=1000000"];
const LOCAL = "a disk alone";
/** What two runs differ by when nothing differs. */
const CONTROL = "a disk alone, another run";
const STORE = "a disk, and behind it a store on loopback";
const NAMES = [LOCAL, CONTROL, STORE] as const;

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
  const before = server.counts.get("PUT") ?? 0;
  const { perSecond } = await takeTurns(NAMES, (name) => openRun(name === STORE), {
    ...{ rounds: isQuick ? 2 : 10, say },
  });
  return tableOf(perSecond, (server.counts.get("PUT") ?? 0) - before);
}

function openRun(hasStore: boolean): Promise<BenchRun> {
  const prefix = `s3://${BUCKET}/${randomUUID()}`;
  const program = (name: string) => (name === "source" ? "source" : "layer");
  const command = (name: string) => [
    ...["services/start/run.cjs", `services/${program(name)}/main.ts`, "--state", `${prefix}/${name}`],
  ];
  return BenchRun.start({ config: CONFIG, set: SET, ...(hasStore && { command }) });
}

function tableOf(rates: Rounds<(typeof NAMES)[number]>, puts: number): Table {
  const against = (name: (typeof NAMES)[number]) => ratioOf(rates[name], rates[LOCAL]);
  return {
    title: `Batches a second of configs/mnist.yaml; ${puts} objects were put meanwhile`,
    columns: ["checkpoints on", "batches/s", "against a disk alone"],
    rows: NAMES.map((name) => [
      name,
      renderSpread(spreadOf(rates[name]), ""),
      renderSpread(against(name), "×"),
    ]),
    bars: [{ of: "with a store", measured: against(STORE).median, unit: "×", least: 0.95 }],
  };
}
