import { deviation, type Finding, ledgerFinding, mean, timeFinding } from "../finding.ts";
import { violations } from "../ledger-check.ts";
import { Nemesis, recoveries } from "../nemesis.ts";
import { Rig } from "../rig.ts";
import { massacres, type Strike, schedule } from "../schedule.ts";

interface KillSizes {
  readonly config: string;
  readonly set?: readonly string[];
  /** kill -9 of one worker, every 0.2 to 2 s. */
  readonly single: number;
  /** kill -9 of the source and 2 to 4 layers at once. */
  readonly several: number;
  /** Highest test error that is as good as undisturbed. */
  readonly mostError: number;
}

/** Kills until all were, in as many runs as that takes; every run ends by itself afterwards. */
export async function kills(sizes: KillSizes, seed: number): Promise<Finding[]> {
  const found: string[] = [];
  const errors: number[] = [];
  const times: { readonly single: number[]; readonly several: number[] } = { single: [], several: [] };
  let left: readonly Strike[] | undefined;
  let dealt = 0;
  for (let run = 0; left === undefined || left.length > 0; run++) {
    const { config, set = [] } = sizes;
    const rig = await Rig.open({ config, set: [...set, `seed=${run}`], seed: seed + run });
    try {
      left ??= strikesFor(sizes, rig.names, seed);
      await rig.flows();
      const nemesis = new Nemesis(rig);
      const before = left.length;
      left = await nemesis.bring(left);
      dealt += before - left.length;
      const summary = await rig.summary();
      found.push(...violations(summary));
      errors.push(summary.test.error);
      const single = nemesis.kills.filter(
        ({ atMs }) => nemesis.kills.filter((kill) => kill.atMs === atMs).length === 1,
      );
      times.single.push(...recoveries(rig, single));
      times.several.push(
        ...recoveries(
          rig,
          nemesis.kills.filter((kill) => !single.includes(kill)),
        ),
      );
    } finally {
      await rig.close();
    }
  }
  const worst = Math.max(...errors);
  return [
    ledgerFinding(found, errors.length),
    {
      claim: `test error after ${dealt} kills, in every run`,
      bar: `at most ${percent(sizes.mostError)}`,
      measured: errors.length === 1 ? percent(worst) : `worst ${percent(worst)} of ${errors.length} runs`,
      met: worst <= sizes.mostError,
    },
    ...(sizes.single > 0
      ? [recovery(`${sizes.single} kills of one worker, 0.2 to 2 s apart`, times.single, 3000)]
      : []),
    ...(sizes.several > 0
      ? [recovery(`${sizes.several} kills of the source and 2 to 4 layers at once`, times.several, 3000)]
      : []),
  ];
}

/** The same run, of so many seeds, while nobody kills: what the errors after kills are held against. */
export async function undisturbed({
  config,
  set = [],
  runs,
}: Pick<KillSizes, "config" | "set"> & { readonly runs: number }): Promise<Finding[]> {
  const found: string[] = [];
  const errors: number[] = [];
  for (let seed = 0; seed < runs; seed++) {
    const rig = await Rig.open({ config, set: [...set, `seed=${seed}`], seed });
    try {
      const summary = await rig.summary();
      found.push(...violations(summary));
      errors.push(summary.test.error);
    } finally {
      await rig.close();
    }
  }
  return [ledgerFinding(found, runs), errorsFinding(errors)];
}

function errorsFinding(errors: readonly number[]): Finding {
  const clean = errors.filter((error) => error === 0).length;
  return {
    claim: "test error of the same runs without kills",
    bar: "—",
    measured: `${percent(mean(errors))} ± ${percent(deviation(errors))}, worst ${percent(Math.max(...errors))}, no error in ${clean} of ${errors.length} runs`,
    met: true,
  };
}

function strikesFor({ single, several }: KillSizes, names: readonly string[], seed: number): Strike[] {
  const one = schedule(seed, names, { strikes: single, kinds: ["kill"], everyMs: [200, 2000] });
  return [...one, ...massacres(seed + 1, names, several)];
}

function recovery(what: string, times: readonly number[], boundMs: number): Finding {
  return timeFinding(`${what}: from the kill to the first new update of that worker`, times, boundMs, 0.99);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
