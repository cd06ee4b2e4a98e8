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

interface Rules {
  readonly rounds: number;
  readonly say: (line: string) => void;
}

/**
 * Runs that train at the same time take turns of four seconds; the others stand still (SIGSTOP) meanwhile. The first half
 * second of a turn does not count.
 */
export async function takeTurns<Name extends string>(
  names: readonly Name[],
  open: (name: Name) => Promise<BenchRun>,
  rules: Rules,
): Promise<Turns<Name>> {
  const runs = new Map<Name, BenchRun>();
  try {
    for (const name of names) {
      const run = await open(name);
      runs.set(name, run);
      await reachFullSpeed(run);
      signal(run, "SIGSTOP");
    }
    return await turnsOf(names, rules, async (name) => {
      const run = runs.get(name)!;
      signal(run, "SIGCONT");
      const found = await turn(run);
      signal(run, "SIGSTOP");
      return found;
    });
  } finally {
    for (const run of runs.values()) await run.close();
  }
}

/**
 * The same processes all the time, which `become` makes one thing or another: of one program, two runs differ by more than
 * two things that are to be told apart. Turns as above.
 */
export async function changeInTurns<Name extends string>(
  names: readonly Name[],
  open: () => Promise<BenchRun>,
  become: (run: BenchRun, name: Name) => void,
  rules: Rules,
): Promise<Turns<Name>> {
  const run = await open();
  try {
    await reachFullSpeed(run);
    return await turnsOf(names, rules, (name) => {
      become(run, name);
      return turn(run);
    });
  } finally {
    await run.close();
  }
}

/** Every other round goes backwards. */
async function turnsOf<Name extends string>(
  names: readonly Name[],
  { rounds, say }: Rules,
  take: (name: Name) => Promise<Turn>,
): Promise<Turns<Name>> {
  const none = () => Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  const found = { perSecond: none(), processorMs: none() };
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { perSecond, processorMs } = await take(name);
      found.perSecond[name].push(perSecond);
      found.processorMs[name].push(processorMs);
    }
    say(names.map((name) => found.perSecond[name].at(-1)!.toFixed(0)).join(", "));
  }
  return found;
}

async function reachFullSpeed(run: BenchRun): Promise<void> {
  await run.headTells((told) => cursorOf(told) >= FROM_BATCH);
}

interface Turn {
  readonly perSecond: number;
  readonly processorMs: number;
}

async function turn(run: BenchRun): Promise<Turn> {
  await sleep(SETTLE_MS);
  const first = await nextReport(run);
  const before = processorSecondsOf(run);
  await sleep(TURN_MS);
  const last = await nextReport(run);
  const spent = processorSecondsOf(run) - before;
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
