import { type Finding, ledgerFinding } from "../finding.ts";
import { violations } from "../ledger-check.ts";
import { Nemesis } from "../nemesis.ts";
import { Rig } from "../rig.ts";
import { type Fault, schedule } from "../schedule.ts";

const KINDS: readonly Fault["do"][] = [
  "kill",
  "kill",
  "stop",
  "partition",
  "flap",
  "reset",
  "slice",
  "delay",
  "corrupt",
];

/** Faults of all kinds, over each other; for each seed a run. A failing one says how to have it again. */
export async function mixed(
  {
    config,
    set,
    strikes,
    seeds,
  }: {
    readonly config: string;
    readonly set: readonly string[];
    readonly strikes: number;
    readonly seeds: number;
  },
  seed: number,
): Promise<Finding[]> {
  const found: string[] = [];
  const counts = new Map<string, number>();
  for (let each = seed; each < seed + seeds; each++) {
    const rig = await Rig.open({ config, set, seed: each });
    try {
      await rig.flows();
      const nemesis = new Nemesis(rig);
      await nemesis.bring(schedule(each, rig.names, { strikes, kinds: KINDS, everyMs: [100, 1500] }));
      for (const fault of nemesis.struck) counts.set(fault.do, (counts.get(fault.do) ?? 0) + 1);
      found.push(...violations(await rig.summary()));
    } catch (error) {
      throw new Error(
        `again with: npm run chaos -- --only mixed --seed ${each}\n${(error as Error).message}`,
        {
          cause: error,
        },
      );
    } finally {
      await rig.close();
    }
  }
  const what = [...counts].map(([kind, count]) => `${count} × ${kind}`).join(", ");
  return [ledgerFinding(found, seeds), { claim: "faults that overlap", bar: "—", measured: what, met: true }];
}
