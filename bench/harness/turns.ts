import { type BenchRun, cursorOf, sleep } from "./bench-run.ts";
import { processorSeconds } from "./processes.ts";
import type { Rounds } from "./statistics.ts";

/** By then every function that matters is compiled. */
const FROM_BATCH = 400;
const SETTLE_MS = 500;
/** Several checkpoints. */
const TURN_MS = 4_000;

/** What turns found, by the name of the run. */
export interface Turns<Name extends string> {
  readonly perSecond: Rounds<Name>;
  /** Milliseconds of processor time that source and layers together spend on a batch. */
  readonly processorMs: Rounds<Name>;
}

/**
 * Runs that train at the same time take turns of four seconds; the others stand still (SIGSTOP) meanwhile. The first half
 * second of a turn does not count.
 */
export async function takeTurns<Name extends string>(
  names: readonly Name[],
  open: (name: Name) => Promise<BenchRun>,
  { rounds, say }: { readonly rounds: number; readonly say: (line: string) => void },
): Promise<Turns<Name>> {
  const none = () => Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  const found = { perSecond: none(), processorMs: none() };
  const runs = new Map<Name, BenchRun>();
  try {
    for (const name of names) runs.set(name, await standing(await open(name)));
    for (let round = 0; round < rounds; round++) {
      for (const [name, run] of round % 2 === 0 ? [...runs] : [...runs].toReversed()) {
        const { perSecond, processorMs } = await turn(run);
        found.perSecond[name].push(perSecond);
        found.processorMs[name].push(processorMs);
      }
      say(names.map((name) => found.perSecond[name].at(-1)!.toFixed(0)).join(", "));
    }
    return found;
  } finally {
    for (const run of runs.values()) await run.close();
  }
}

/** Resolves when it trains at full speed, and has been stopped. */
async function standing(run: BenchRun): Promise<BenchRun> {
  await run.headTells((told) => cursorOf(told) >= FROM_BATCH);
  signal(run, "SIGSTOP");
  return run;
}

async function turn(run: BenchRun): Promise<{ readonly perSecond: number; readonly processorMs: number }> {
  signal(run, "SIGCONT");
  await sleep(SETTLE_MS);
  const first = await nextReport(run);
  const before = processorSecondsOf(run);
  await sleep(TURN_MS);
  const last = await nextReport(run);
  const spent = processorSecondsOf(run) - before;
  signal(run, "SIGSTOP");
  const batches = cursorOf(last.telemetry) - cursorOf(first.telemetry);
  return { perSecond: (1000 * batches) / (last.at - first.at), processorMs: (1000 * spent) / batches };
}

function processorSecondsOf(run: BenchRun): number {
  return run.pids.reduce((sum, pid) => sum + processorSeconds(pid), 0);
}

function nextReport(run: BenchRun): ReturnType<BenchRun["headTells"]> {
  const known = cursorOf(run.latest.telemetry);
  return run.headTells((told) => cursorOf(told) > known);
}

function signal(run: BenchRun, name: "SIGSTOP" | "SIGCONT"): void {
  for (const pid of run.pids) process.kill(pid, name);
}
