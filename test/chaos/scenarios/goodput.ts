import { type Finding, seconds } from "../finding.ts";
import { Rig } from "../rig.ts";
import { schedule } from "../schedule.ts";

/**
 * Batches a second of the slowest layer, with a kill of one worker every so often and without: turns of equal length one after
 * the other in the same run, so that what else the machine does hits both alike.
 */
export async function goodput(
  {
    config,
    set,
    turnMs,
    turns,
    killEveryMs,
    least,
  }: {
    readonly config: string;
    readonly set: readonly string[];
    readonly turnMs: number;
    readonly turns: number;
    readonly killEveryMs: number;
    /** The bar. */
    readonly least: number;
  },
  seed: number,
): Promise<Finding[]> {
  const rig = await Rig.open({ config, set, seed });
  try {
    await rig.flows();
    const learnt = { calm: 0, killing: 0 };
    const took = { calm: 0, killing: 0 };
    const perTurn = Math.round(turnMs / killEveryMs);
    const kills = schedule(seed, rig.names, { strikes: perTurn * turns, kinds: ["kill"], everyMs: [0, 0] });
    for (let turn = 0; turn < 2 * turns; turn++) {
      const kind = turn % 2 === 0 ? "calm" : "killing";
      const [from, since] = [slowest(rig), performance.now()];
      for (let part = 0; part < perTurn; part++) {
        const { fault } = kind === "killing" ? kills.pop()! : { fault: undefined };
        if (fault?.do === "kill") for (const who of fault.who) rig.signal(who, "SIGKILL");
        await new Promise((resolve) => setTimeout(resolve, killEveryMs));
      }
      learnt[kind] += slowest(rig) - from;
      took[kind] += performance.now() - since;
    }
    const rate = (kind: "calm" | "killing") => (1000 * learnt[kind]) / took[kind];
    const share = rate("killing") / rate("calm");
    const goodput: Finding = {
      claim: `goodput with a kill every ${seconds(killEveryMs)} over goodput without, in ${2 * turns} turns of ${seconds(turnMs)}`,
      bar: `at least ${least.toFixed(2)}`,
      measured: `${share.toFixed(3)} (${rate("killing").toFixed(0)} of ${rate("calm").toFixed(0)} batches/s)`,
      met: share >= least,
    };
    return [goodput];
  } finally {
    await rig.close();
  }
}

function slowest(rig: Rig): number {
  return Math.min(...rig.names.slice(1).map((name) => rig.progress(name)?.batch ?? -1));
}
