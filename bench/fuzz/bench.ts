import { Attack, type Volley } from "../../test/fuzz/attack.ts";
import { crowd } from "../../test/fuzz/crowd.ts";
import { decodeMutants } from "../../test/fuzz/decode-mutants.ts";
import { startHead, teachHead } from "../../test/support/head-peer.ts";
import { DirectRun } from "../../test/support/processes/direct-run.ts";
import { busyMs, residentMiB } from "../../test/support/processes/usage.ts";
import type { Asked, Bench } from "../harness/bench.ts";
import type { Bar, Cell, Table } from "../harness/report.ts";

const LONGEST_MS = 50;
const MOST_MIB = 32;
/** Of what is no frame at all: raw bytes and requests. */
const MOST_RAW_MIB = 16;
/** Mutants that one seed stands for. */
const PART = 50_000;
const QUANTILES = [0.5, 0.999, 1] as const;
const COLUMNS = ["", "how many", "median, ms", "99.9 %, ms", "longest, ms"];
const MEMORY = "most memory, MiB";

export const bench: Bench = {
  title: "Rubbish: the cost of refusing it",
  async run(asked) {
    return {
      tables: [decoding(asked), await attacking(asked), await crowding(asked)],
      notes: [
        "In one process, each mutant of a valid frame is decoded; if it is a frame, it is encoded and decoded again. Memory is the growth of V8's heap and buffers, wherever no garbage collection came between. The time of collections and of anything else that ran counts as time of the frame it met.",
        "At a real layer (head of two rings, with a run secret) time runs from sending until the layer has ended its side of the connection, as the attacker sees it, so the attacker's own work counts too. There is one connection at a time. Half of the mutants come from strangers, half from the proved predecessor. The frames, the raw WebSocket corpus and the requests are those of `test/support/hostile-*.ts`.",
        "The layer's own time is what its main thread ran for from the end of one connection to the end of the next, with garbage collection and the greeting. Memory is the growth of the layer's VmRSS from one connection to the next.",
        "`test/fuzz` shows that none of it changes a weight or ends a process.",
      ],
    };
  },
};

function decoding({ isQuick, say }: Asked): Table {
  const parts = isQuick ? 2 : 20;
  const took: number[] = [];
  let mostBytes = 0;
  for (let seed = 0; seed < parts; seed++) {
    const found = decodeMutants(seed, PART);
    for (const ms of found.tookMs) took.push(ms);
    mostBytes = Math.max(mostBytes, found.mostBytes);
  }
  say(`${took.length} mutants decoded`);
  return {
    title: "Frames decoded in one process",
    columns: [...COLUMNS, MEMORY],
    rows: [[...rowOf("mutants", took), mostBytes / 2 ** 20]],
    bars: [
      longest("of any mutant, decoded", took),
      { of: "memory of any mutant, decoded", measured: mostBytes / 2 ** 20, unit: " MiB", most: MOST_MIB },
    ],
  };
}

async function attacking({ isQuick, say }: Asked): Promise<Table> {
  const run = newRun();
  try {
    const { port, worker } = await startHead(run, "attacked");
    await teachHead(port, run, [0, 1]);
    const heard = new Heard(worker.pid!);
    const attack = new Attack(run, { port, need: 2, strangers: 1 }, (volley) => heard.take(volley));
    const waves: readonly (readonly [string, () => Promise<void>])[] = [
      ["mutants", () => attack.mutants(isQuick ? 500 : 10_000)],
      ["frames that no encoder makes", () => attack.frames()],
      ["bytes that are no WebSocket", () => attack.webSockets()],
      ["requests for anything else", () => attack.requests()],
    ];
    const rows: Cell[][] = [];
    const bars: Bar[] = [];
    for (const [name, wave] of waves) {
      const { took, mostBusyMs, mostGrownMiB, slowest } = await heard.during(wave);
      say(`${name}: ${took.length}, longest ${Math.max(...took).toFixed(1)} ms, of ${slowest}`);
      rows.push([...rowOf(name, took), mostBusyMs, mostGrownMiB]);
      const isRaw = name.startsWith("bytes") || name.startsWith("requests");
      bars.push(longest(`until the ${name} were disconnected`, took));
      bars.push({
        of: `the layer's own time for any of the ${name}`,
        measured: mostBusyMs,
        unit: " ms",
        most: LONGEST_MS,
      });
      bars.push({
        of: `memory for any of the ${name}`,
        measured: mostGrownMiB,
        unit: " MiB",
        most: isRaw ? MOST_RAW_MIB : MOST_MIB,
      });
    }
    const columns = [...COLUMNS, "most time of the layer, ms", MEMORY];
    return { title: "Connections closed by a real layer", columns, rows, bars };
  } finally {
    await run.close();
  }
}

interface Wave {
  readonly took: readonly number[];
  /** Of the layer's main thread, from one connection's end to the next. */
  readonly mostBusyMs: number;
  readonly mostGrownMiB: number;
  readonly slowest: string;
}

/** What was heard of a process during each wave. */
class Heard {
  readonly #pid: number;
  #volleys: Volley[] = [];
  #busyMs: number;
  #residentMiB: number;
  #mostBusyMs = 0;
  #mostGrownMiB = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#busyMs = busyMs(pid);
    this.#residentMiB = residentMiB(pid);
  }

  take(volley: Volley): void {
    this.#volleys.push(volley);
    const [busy, resident] = [busyMs(this.#pid), residentMiB(this.#pid)];
    this.#mostBusyMs = Math.max(this.#mostBusyMs, busy - this.#busyMs);
    this.#mostGrownMiB = Math.max(this.#mostGrownMiB, resident - this.#residentMiB);
    [this.#busyMs, this.#residentMiB] = [busy, resident];
  }

  async during(wave: () => Promise<void>): Promise<Wave> {
    this.#volleys = [];
    [this.#mostBusyMs, this.#mostGrownMiB] = [0, 0];
    await wave();
    return {
      took: this.#volleys.map(({ tookMs }) => tookMs),
      mostBusyMs: this.#mostBusyMs,
      mostGrownMiB: this.#mostGrownMiB,
      slowest: this.#volleys.reduce((one, other) => (other.tookMs > one.tookMs ? other : one)).what,
    };
  }
}

async function crowding({ isQuick, say }: Asked): Promise<Table> {
  const run = newRun();
  try {
    const { port } = await startHead(run, "crowded");
    const count = isQuick ? 50 : 500;
    const { lastedMs, linkedMs } = await crowd(count, port, run);
    const longestSeconds = Math.max(...lastedMs) / 1000;
    say(`${count} cut after ${longestSeconds.toFixed(1)} s at most`);
    return {
      title: "Connections at once that are silent, slow or only ping",
      columns: ["connections", "the last one cut after, s", "a neighbour is linked and has taught after, s"],
      rows: [[count, longestSeconds, linkedMs / 1000]],
      bars: [
        { of: "until the last one is cut", measured: longestSeconds, unit: " s", most: 6 },
        { of: "until a neighbour is linked and has taught", measured: linkedMs / 1000, unit: " s", most: 3 },
      ],
    };
  } finally {
    await run.close();
  }
}

function newRun(): DirectRun {
  return new DirectRun("configs/two-rings.yaml", 3, ["run.batches=1500", "run.evaluateEvery=750"]);
}

function rowOf(name: string, took: readonly number[]): Cell[] {
  const sorted = Float64Array.from(took).sort();
  const quantiles = QUANTILES.map((share) => sorted[Math.ceil(share * sorted.length) - 1]!);
  return [name, took.length, ...quantiles];
}

function longest(of: string, took: readonly number[]): Bar {
  const most = took.reduce((longest, ms) => Math.max(longest, ms), 0);
  return { of: `longest time ${of}`, measured: most, unit: " ms", most: LONGEST_MS };
}
