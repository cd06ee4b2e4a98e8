import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DirectRun } from "../../test/support/processes/direct-run.ts";
import type { Asked, Bench } from "../harness/bench.ts";
import { BenchRun, cursorOf, sleep } from "../harness/bench-run.ts";
import { residentMegabytes } from "../harness/processes.ts";
import { type CpuProfile, type Place, timeByPlace, unbundled } from "../harness/profile.ts";
import { renderNumber, renderSpread } from "../harness/render.ts";
import type { Cell, Table } from "../harness/report.ts";
import { median, spreadOf } from "../harness/statistics.ts";

const CONFIG = "configs/mnist.yaml";
const LAYERS = 4;
const ENDLESS = ["run.epochs=1000"];

export const bench: Bench = {
  title: "A layer's process: start, memory, and where its time goes",
  async run(asked) {
    return {
      tables: [await measureStart(asked), await measureMemory(asked), await measureTime(asked)],
      notes: [
        "Ready is from starting the process until its port is open. Resident memory is VmRSS of each layer, once a second, in endless training on configs/mnist.yaml with evaluations and checkpoints. Growth is the last fifth over the second.",
        "Where time goes is --cpu-prof of layer 2 over as long, from its first batch on. A function of Node or of the language counts for the function of ours that called it. Native is outside JavaScript, mostly system calls of the sockets. Records are checkpoints, log and telemetry.",
      ],
    };
  },
};

async function measureStart({ isQuick, say }: Asked): Promise<Table> {
  const times: number[] = [];
  // The first may have to make the bundle.
  for (let n = -1; n < (isQuick ? 3 : 15); n++) {
    const run = new DirectRun(CONFIG, LAYERS);
    const startedAt = performance.now();
    const head = run.launch(`layer${LAYERS}`);
    const { at } = await head.tells(({ kind }) => kind === "listening");
    await run.close();
    if (n >= 0) times.push((at - startedAt) / 1000);
  }
  const spread = spreadOf(times);
  say(`ready in ${renderSpread(spread, " s")}`);
  return {
    title: "From starting a layer's process to its open port",
    columns: ["starts", "seconds"],
    rows: [[times.length, renderSpread(spread, " s")]],
    bars: [{ of: "ready, median", measured: spread.median, unit: " s", most: 0.7 }],
  };
}

async function measureMemory({ say, ...asked }: Asked): Promise<Table> {
  const seconds = secondsOf(asked);
  const run = await BenchRun.start({ config: CONFIG, set: ENDLESS });
  try {
    const samples = Array.from({ length: LAYERS }, (): number[] => []);
    for (let n = 0; n < seconds; n++) {
      await sleep(1000);
      for (const [index, each] of samples.entries()) each.push(residentMegabytes(run.worker(index + 1).pid!));
    }
    const batches = cursorOf(run.latest.telemetry);
    say(`${batches} batches in ${seconds} s`);
    const growths = samples.map((each) => median(fifth(each, 5)) / median(fifth(each, 2)));
    const rows = samples.map((each, index): Cell[] => [
      `layer ${index + 1}`,
      renderSpread(spreadOf(each), " MB"),
      median(fifth(each, 2)),
      median(fifth(each, 5)),
      `${renderNumber(growths[index]!)}×`,
    ]);
    return {
      title: `Resident memory over ${seconds} s of training at full load, ${batches} batches`,
      columns: ["", "median (least–most)", "second fifth, MB", "last fifth, MB", "growth"],
      rows,
      bars: [
        {
          of: "most resident memory of any layer",
          measured: Math.max(...samples.flat()),
          unit: " MB",
          most: 120,
        },
        { of: "growth of the layer that grows most", measured: Math.max(...growths), unit: "×", most: 1.05 },
      ],
    };
  } finally {
    await run.close();
  }
}

function secondsOf({ isQuick, isLong }: Pick<Asked, "isQuick" | "isLong">): number {
  return isQuick ? 10 : isLong ? 600 : 120;
}

/** The first is 1. */
function fifth(values: readonly number[], which: number): readonly number[] {
  const length = values.length / 5;
  return values.slice(Math.floor((which - 1) * length), Math.floor(which * length));
}

async function measureTime({ say, ...asked }: Asked): Promise<Table> {
  const seconds = secondsOf(asked);
  const folder = mkdtempSync(join(tmpdir(), "unlocked-profile-"));
  const profiled = [
    "--cpu-prof",
    "--cpu-prof-dir",
    folder,
    "services/start/run.cjs",
    "services/layer/main.ts",
  ];
  const command = (name: string) => (name === "layer2" ? profiled : undefined);
  const run = await BenchRun.start({ config: CONFIG, set: ENDLESS, command });
  try {
    await run.rate(0, 1000 * seconds);
    const layer = run.worker(2);
    layer.signal("SIGTERM");
    await layer.ended;
    const batches =
      1 + cursorOf(layer.told.findLast(({ telemetry }) => telemetry.kind === "progress")!.telemetry);
    const [file] = readdirSync(folder);
    const profile = JSON.parse(readFileSync(join(folder, file!), "utf8")) as CpuProfile;
    const times = timeByPlace(unbundled(profile, mapsBeside()));
    say(`profiled ${batches} batches`);
    return tableOf(times, batches);
  } finally {
    await run.close();
    rmSync(folder, { recursive: true });
  }
}

/** Finds a bundle's source map in the file of that name; each is read once. */
function mapsBeside(): (url: string) => SourceMap | undefined {
  const maps = new Map<string, SourceMap | undefined>();
  return (url) => {
    if (!maps.has(url)) {
      const path = url.startsWith("file:") ? `${fileURLToPath(url)}.map` : undefined;
      const found = path !== undefined && existsSync(path);
      maps.set(url, found ? new SourceMap(JSON.parse(readFileSync(path, "utf8"))) : undefined);
    }
    return maps.get(url);
  };
}

const INSIDE: readonly Place[] = ["kernels", "sockets", "native"];

function tableOf(times: ReadonlyMap<Place, number>, batches: number): Table {
  const busy = [...times].filter(([place]) => place !== "idle").toSorted((one, other) => other[1] - one[1]);
  const all = busy.reduce((sum, [, us]) => sum + us, 0);
  const outside = busy.reduce((sum, [place, us]) => sum + (INSIDE.includes(place) ? 0 : us), 0);
  return {
    title: `Where layer 2's time goes, over its first ${batches} batches`,
    columns: ["", "µs a batch", "share, %"],
    rows: [
      ...busy.map(([place, us]): Cell[] => [place, us / batches, (100 * us) / all]),
      ["together", all / batches, 100],
    ],
    bars: [{ of: "outside kernels and sockets", measured: (100 * outside) / all, unit: " %", most: 15 }],
  };
}
