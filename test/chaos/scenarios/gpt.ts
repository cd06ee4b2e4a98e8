import { readFileSync } from "node:fs";
import { type Finding, ledgerFinding } from "../finding.ts";
import { violations } from "../ledger-check.ts";
import { Rig, RunOver } from "../rig.ts";
import { schedule } from "../schedule.ts";

const WITHIN = 0.02;
const MOST_BYTES = 200 * 1024 * 1024;
const LOOK_MS = 1000;

interface GptRuns {
  readonly config: string;
  readonly set: readonly string[];
  /** kill -9 of one worker, evenly spread over the batches of one run. */
  readonly kills: number;
  /** Each is a run of its own, beside the one by f32. */
  readonly dtypes: readonly string[];
}

interface Ended {
  readonly loss: number;
  readonly violations: readonly string[];
  /** The most that any hidden layer ever had resident. */
  readonly mostBytes: number;
}

/** A language model over processes: what kills cost it, what narrow wires do, and what memory its blocks take. */
export async function languageModel(
  { config, set, kills, dtypes }: GptRuns,
  seed: number,
): Promise<Finding[]> {
  const train = (more: readonly string[], strike?: (rig: Rig) => Promise<void>) =>
    trained(config, [...set, ...more], seed, strike);
  const plain = await train(["wire.dtype=f32"]);
  let dealt = 0;
  const killed = await train(["wire.dtype=f32"], async (rig) => {
    dealt = await killEvenly(rig, kills, seed);
  });
  const narrow = new Map<string, Ended>();
  for (const dtype of dtypes) narrow.set(dtype, await train([`wire.dtype=${dtype}`]));
  const all = [plain, killed, ...narrow.values()];
  const mostBytes = Math.max(...all.map((ended) => ended.mostBytes));
  return [
    ledgerFinding(
      all.flatMap((ended) => ended.violations),
      all.length,
    ),
    {
      claim: `${kills} kills of one worker in one run`,
      bar: `all of them in the run`,
      measured: `${dealt}`,
      met: dealt === kills,
    },
    against(`loss after ${kills} kills`, killed, plain),
    ...[...narrow].map(([dtype, ended]) => against(`loss with ${dtype} on the wire`, ended, plain)),
    {
      claim: "the most memory that the process of a block ever had",
      bar: "at most 200 MiB",
      measured: `${(mostBytes / 1024 / 1024).toFixed(0)} MiB`,
      met: mostBytes <= MOST_BYTES,
    },
  ];
}

async function trained(
  config: string,
  set: readonly string[],
  seed: number,
  strike: (rig: Rig) => Promise<void> = async () => {},
): Promise<Ended> {
  const rig = await Rig.open({ config, set: [...set, `seed=${seed}`], seed });
  let mostBytes = 0;
  const look = setInterval(() => {
    for (const name of hiddenLayers(rig)) mostBytes = Math.max(mostBytes, peakBytes(rig.pid(name)));
  }, LOOK_MS);
  try {
    await strike(rig);
    const summary = await rig.summary();
    return { loss: summary.test.loss, violations: violations(summary), mostBytes };
  } finally {
    clearInterval(look);
    await rig.close();
  }
}

/** One worker dies each time the head has learnt another share of the batches; gives how many died. */
async function killEvenly(rig: Rig, kills: number, seed: number): Promise<number> {
  const strikes = schedule(seed, rig.names, { strikes: kills, kinds: ["kill"], everyMs: [0, 1] });
  let dealt = 0;
  for (const [index, { fault }] of strikes.entries()) {
    if (fault.do !== "kill") continue;
    const from = ((index + 1) * rig.batches) / (kills + 1);
    try {
      await rig.until(`the head learnt batch ${from}`, () => (rig.progress(rig.head)?.batch ?? -1) >= from);
    } catch (error) {
      if (error instanceof RunOver) return dealt;
      throw error;
    }
    if (fault.who.every((name) => rig.signal(name, "SIGKILL"))) dealt++;
  }
  return dealt;
}

function hiddenLayers({ names, head }: Rig): readonly string[] {
  return names.filter((name) => name !== "source" && name !== head);
}

/** 0 for a process that is gone. */
function peakBytes(pid: number): number {
  try {
    const [, kibi = "0"] = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return 1024 * Number(kibi);
  } catch {
    return 0;
  }
}

function against(claim: string, { loss }: Ended, plain: Ended): Finding {
  const apart = loss - plain.loss;
  return {
    claim,
    bar: `at most ${WITHIN} above that of the run by f32 without kills`,
    measured: `${loss.toFixed(4)}, ${apart < 0 ? "−" : "+"}${Math.abs(apart).toFixed(4)}`,
    met: apart <= WITHIN,
  };
}
