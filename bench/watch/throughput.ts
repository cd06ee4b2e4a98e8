import { cpus } from "node:os";
import { chooseKernels } from "../../shared/math/choose-kernels.ts";
import type { Asked } from "../harness/bench.ts";
import { BenchRun, cursorOf, sleep } from "../harness/bench-run.ts";
import { busySeconds, processorSeconds, residentMegabytes } from "../harness/processes.ts";
import { renderSpread } from "../harness/render.ts";
import type { Bar, Cell, Table } from "../harness/report.ts";
import { median, ratioOf, spreadOf } from "../harness/statistics.ts";
import { asker, browsers, deafBrowser, nobody, type Onlookers, stoppedHub } from "./onlookers.ts";

const CONFIG = "configs/mnist.yaml";
/** An evaluation takes as long as sixty batches, a checkpoint as long as the disk likes: they would fall into this turn or that. */
const SET = ["run.epochs=1000", "run.evaluateEvery=1000000", "run.checkpointEvery=1000000"];
/** Found out once: runs that chose for themselves, each in its own moment, might differ in that. */
const KERNELS = chooseKernels("auto", process).found.kernels;
/** By then every function that matters is compiled. */
const FROM_BATCH = 400;
const BROWSERS = 20;
const QUESTIONS_A_SECOND = 5;
const SETTLE_MS = 500;
const TURN_MS = 1_500;
/**
 * Of all processors: where others took more of them in a turn, it is taken again, so often at most. A round with a turn that
 * was never quiet counts only if there are not enough others.
 */
const MOST_OTHERS = 0.05;
const MOST_TRIES = 3;
const SPARE_ROUNDS = 1;

const WITHOUT = "no hub";
/** Another run of the same kind: what two runs differ by when nothing differs. */
const CONTROL = "no hub, another run";
type Circumstance = (run: BenchRun) => Promise<Onlookers>;
const circumstances: Readonly<Record<string, Circumstance>> = {
  "a hub without viewers": async () => nobody,
  "a browser that never reads": ({ hub }) => deafBrowser(hub!.port),
  [`${BROWSERS} browsers that read`]: ({ hub }) => browsers(hub!.port, BROWSERS),
  [`${QUESTIONS_A_SECOND} questions a second`]: ({ hub }) => asker(hub!.port, QUESTIONS_A_SECOND),
  "the hub stopped": async ({ hub }) => stoppedHub(hub!.child),
};

/** What one run showed in one turn. */
interface Turn {
  /** Batches a second. */
  readonly rate: number;
  /** Milliseconds of processor time for a batch: of all that train, of the hub, of the viewers. */
  readonly training: number;
  readonly hub: number;
  readonly onlookers: number;
  /** What everybody else took of the machine, as a share of it. */
  readonly others: number;
  readonly hubMegabytes: number;
}

type Round = ReadonlyMap<string, Turn>;

/**
 * Batches a second with a hub and its viewers, against none. All runs are there from the beginning to the end, and
 * all but one stand still: they take turns of one and a half seconds, so that what slows the machine for longer slows all of them.
 */
export async function measureThroughput({ isQuick, isLong, say }: Asked): Promise<Table> {
  const stages: Stage[] = [];
  try {
    for (const name of [WITHOUT, CONTROL]) stages.push(await Stage.open(name));
    for (const [name, begin] of Object.entries(circumstances)) stages.push(await Stage.open(name, begin));
    const rounds = await takeTurns(stages, isQuick ? 2 : isLong ? 40 : 12, say);
    return tableOf(rounds, stages.find(({ name }) => name === "the hub stopped")!.trainedSeconds);
  } finally {
    for (const stage of stages) await stage.close();
  }
}

/** The `wanted` quietest of some more. */
async function takeTurns(
  stages: readonly Stage[],
  wanted: number,
  say: (line: string) => void,
): Promise<Round[]> {
  const rounds: Round[] = [];
  while (rounds.filter(isQuiet).length < wanted && rounds.length < wanted + SPARE_ROUNDS) {
    const round = new Map<string, Turn>();
    for (const stage of rounds.length % 2 === 0 ? stages : stages.toReversed())
      round.set(stage.name, await quietTurn(stage));
    rounds.push(round);
    const rates = stages.map(({ name }) => round.get(name)!.rate.toFixed(0));
    say(`batches/s ${rates.join(", ")}; others at most ${(100 * noiseOf(round)).toFixed(1)} %`);
  }
  return rounds.toSorted((one, other) => noiseOf(one) - noiseOf(other)).slice(0, wanted);
}

async function quietTurn(stage: Stage): Promise<Turn> {
  const turns: Turn[] = [];
  do turns.push(await stage.turn());
  while (turns.length < MOST_TRIES && turns.at(-1)!.others > MOST_OTHERS);
  return turns.toSorted((one, other) => one.others - other.others)[0]!;
}

function noiseOf(round: Round): number {
  return Math.max(...[...round.values()].map(({ others }) => others));
}

function isQuiet(round: Round): boolean {
  return noiseOf(round) <= MOST_OTHERS;
}

function tableOf(rounds: readonly Round[], stoppedSeconds: number): Table {
  const all = (name: string, figure: keyof Turn) => rounds.map((round) => round.get(name)![figure]);
  const names = Object.keys(circumstances);
  const against = (name: string) => ratioOf(all(name, "rate"), all(WITHOUT, "rate"));
  const megabytes = (name: string) => Math.max(...all(name, "hubMegabytes"));
  return {
    title: `Batches a second of configs/mnist.yaml and processor time for a batch, ${rounds.length} turns each; the hub stopped through ${Math.round(stoppedSeconds)} s of training`,
    columns: ["", "batches/s", "against no hub", "training, ms", "hub, ms", "viewers, ms", "hub, MB, most"],
    rows: [WITHOUT, CONTROL, ...names].map((name): Cell[] => [
      name,
      renderSpread(spreadOf(all(name, "rate")), ""),
      renderSpread(against(name), "×"),
      ...(["training", "hub", "onlookers"] as const).map((who) => median(all(name, who))),
      megabytes(name) || "–",
    ]),
    bars: [
      ...names.map((name): Bar => ({ of: name, measured: against(name).median, unit: "×", least: 0.98 })),
      {
        of: "most resident memory of the hub",
        measured: Math.max(...names.map(megabytes)),
        unit: " MB",
        most: 150,
      },
    ],
  };
}

/** A run that stands still whenever it is not its turn, with its hub and viewers. */
class Stage {
  readonly name: string;
  trainedSeconds = 0;
  readonly #run: BenchRun;
  readonly #onlookers: Onlookers;

  /** Resolves when it trains at full speed, and has been stopped. */
  static async open(name: string, begin?: Circumstance): Promise<Stage> {
    const set = [...SET, `compute.kernels=${KERNELS}`];
    const run = await BenchRun.start({ config: CONFIG, set, isWatched: begin !== undefined });
    try {
      await run.headTells((told) => cursorOf(told) >= FROM_BATCH);
      const stage = new Stage(name, run, (await begin?.(run)) ?? nobody);
      stage.#signal("SIGSTOP");
      return stage;
    } catch (error) {
      await run.close();
      throw error;
    }
  }

  private constructor(name: string, run: BenchRun, onlookers: Onlookers) {
    this.name = name;
    this.#run = run;
    this.#onlookers = onlookers;
  }

  async turn(): Promise<Turn> {
    this.#signal("SIGCONT");
    await sleep(SETTLE_MS);
    const [first, before] = [await this.#nextReport(), this.#spent()];
    await sleep(TURN_MS);
    const [last, after] = [await this.#nextReport(), this.#spent()];
    const hubMegabytes = this.#hub === undefined ? 0 : residentMegabytes(this.#hub);
    this.#signal("SIGSTOP");
    const batches = cursorOf(last.telemetry) - cursorOf(first.telemetry);
    const seconds = (last.at - first.at) / 1000;
    this.trainedSeconds += seconds + SETTLE_MS / 1000;
    const aBatch = (who: "training" | "hub" | "onlookers") => (1000 * (after[who] - before[who])) / batches;
    return {
      rate: batches / seconds,
      training: aBatch("training"),
      hub: aBatch("hub"),
      onlookers: aBatch("onlookers"),
      others: (after.others - before.others) / seconds / cpus().length,
      hubMegabytes,
    };
  }

  async close(): Promise<void> {
    this.#onlookers.close();
    await this.#run.close();
  }

  get #hub(): number | undefined {
    return this.#run.hub?.child.pid;
  }

  #spent() {
    const training = this.#run.pids.reduce((sum, pid) => sum + processorSeconds(pid), 0);
    const hub = this.#hub === undefined ? 0 : processorSeconds(this.#hub);
    const onlookers = this.#onlookers.processorSeconds;
    const own = processorSeconds(process.pid) + training + hub + onlookers;
    return { training, hub, onlookers, others: busySeconds() - own };
  }

  #nextReport(): ReturnType<BenchRun["headTells"]> {
    const known = cursorOf(this.#run.latest.telemetry);
    return this.#run.headTells((told) => cursorOf(told) > known);
  }

  #signal(signal: "SIGSTOP" | "SIGCONT"): void {
    const { pid, stopsHub } = this.#onlookers;
    const hub = stopsHub ? undefined : this.#hub;
    for (const each of [...this.#run.pids, hub, pid]) if (each !== undefined) process.kill(each, signal);
  }
}
