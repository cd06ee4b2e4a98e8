import type { Direction, TcpProxy } from "../../support/network/proxy.ts";
import type { LogLine } from "../../support/processes/experiment.ts";
import { type Finding, ledgerFinding, seconds, timeFinding } from "../finding.ts";
import type { Rig } from "../rig.ts";
import { inRuns } from "./in-runs.ts";

const NOTICE_MS = 3000;
const RESUME_MS = 2000;
/** Shorter silences may pass unnoticed, and do no harm. */
const SURELY_NOTICED_MS = 3500;

interface Partition {
  readonly link: number;
  readonly way: Direction | "both";
  readonly forMs: number;
}

interface Stop {
  readonly who: string;
  readonly forMs: number;
}

/** What silence did: how long until the neighbours noticed, and from healing until what was cut off got on. */
class Silences {
  readonly noticed: number[] = [];
  readonly resumed: number[] = [];

  findings(what: string): Finding[] {
    const long = `${what}, longer than ${seconds(SURELY_NOTICED_MS)}: until both ends notice`;
    const noticed = timeFinding(long, this.noticed, NOTICE_MS);
    const healed = `${what}: from its end until the worker it held up goes on (reports come twice a second)`;
    const resumed = timeFinding(healed, this.resumed, RESUME_MS);
    return this.noticed.length > 0 ? [noticed, resumed] : [resumed];
  }

  async heal(rig: Rig, cutOff: string, heal: () => void): Promise<void> {
    heal();
    const healedAt = performance.now();
    // What it says first may be what it had done before it was cut off.
    const { batch } = await rig.nextProgress(cutOff);
    await rig.until(`${cutOff} got on`, () => rig.progress(cutOff)!.batch > batch);
    this.resumed.push(performance.now() - healedAt);
  }
}

/** Every link cut for each of these times, both ways and each one way only. */
export async function partitions(
  {
    config,
    set,
    forMs,
    ways = ["both", "forward", "back"],
  }: {
    readonly config: string;
    readonly set: readonly string[];
    readonly forMs: readonly number[];
    readonly ways?: readonly Partition["way"][];
  },
  seed: number,
): Promise<Finding[]> {
  const silences = new Silences();
  const cuts = forMs.flatMap((ms) =>
    [0, 1, 2].flatMap((link) => ways.map((way) => ({ link, way, forMs: ms }))),
  );
  const outcome = await inRuns(cuts, { config, set, seed }, (rig, cut) => partition(rig, cut, silences));
  const times = forMs.map((ms) => ms / 1000).join(", ");
  const what = `a partition of one link (${times} s; ${ways.join(", ")})`;
  return [...silences.findings(what), ledgerFinding(outcome.violations, outcome.runs)];
}

async function partition(rig: Rig, { link, way, forMs }: Partition, silences: Silences): Promise<void> {
  const proxy = rig.links[link]!;
  const cutAt = Date.now();
  proxy.impair({ blackHole: true }, way);
  const over = timer(forMs);
  if (forMs >= SURELY_NOTICED_MS) {
    const dialler = rig.says(rig.names[link]!, cutAt, lost("successor"));
    const listener = rig.says(rig.names[link + 1]!, cutAt, lost("predecessor"));
    silences.noticed.push(
      ...(await Promise.all([dialler, listener])).map(({ time }) => Date.parse(time) - cutAt),
    );
  }
  await over;
  await silences.heal(rig, rig.names[link + 1]!, () => proxy.impair({ blackHole: false }));
}

/** Every worker stopped for each of these times. */
export async function stops(
  {
    config,
    set,
    forMs,
    who,
  }: {
    readonly config: string;
    readonly set: readonly string[];
    readonly forMs: readonly number[];
    readonly who: readonly string[];
  },
  seed: number,
): Promise<Finding[]> {
  const silences = new Silences();
  const all = forMs.flatMap((ms) => who.map((name) => ({ who: name, forMs: ms })));
  const outcome = await inRuns(all, { config, set, seed }, (rig, each) => stop(rig, each, silences));
  const what = `a worker stopped (SIGSTOP ${forMs.map((ms) => ms / 1000).join(", ")} s; ${who.join(", ")})`;
  return [...silences.findings(what), ledgerFinding(outcome.violations, outcome.runs)];
}

async function stop(rig: Rig, { who, forMs }: Stop, silences: Silences): Promise<void> {
  const index = rig.names.indexOf(who);
  const stoppedAt = Date.now();
  rig.signal(who, "SIGSTOP");
  const over = timer(forMs);
  if (forMs >= SURELY_NOTICED_MS) {
    const before = index > 0 ? [rig.says(rig.names[index - 1]!, stoppedAt, lost("successor"))] : [];
    const after = who === rig.head ? [] : [rig.says(rig.names[index + 1]!, stoppedAt, lost("predecessor"))];
    const lines = await Promise.all([...before, ...after]);
    silences.noticed.push(...lines.map(({ time }) => Date.parse(time) - stoppedAt));
  }
  await over;
  await silences.heal(rig, who, () => rig.signal(who, "SIGCONT"));
}

function lost(side: "successor" | "predecessor") {
  return (line: LogLine) => line.msg === `lost ${side}`;
}

type Weather = { readonly name: string; readonly begin: (proxy: TcpProxy, seed: number) => void };

const WEATHERS: readonly Weather[] = [
  { name: "slices of 1 byte", begin: (proxy) => proxy.impair({ sliceBytes: 1 }) },
  { name: "50 ± 50 ms each way", begin: (proxy) => proxy.impair({ jitterMs: 100 }) },
  {
    name: "reset in the middle of frames",
    begin: (proxy, seed) => proxy.impair({ resetAfterBytes: 20_011 + 997 * seed }),
  },
];

/** Bad weather on all links at once: the run flows through it, and every ledger is exact. */
export async function weathers(
  {
    config,
    set,
    forMs,
  }: { readonly config: string; readonly set: readonly string[]; readonly forMs: number },
  seed: number,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const losses = new Map<string, number>();
  const advances = new Map<string, number>();
  const outcome = await inRuns(WEATHERS, { config, set, seed }, async (rig, weather) => {
    const since = Date.now();
    for (const [index, proxy] of rig.links.entries()) weather.begin(proxy, index);
    const from = rig.progress(rig.head)!.batch;
    await timer(forMs);
    // Flows through the weather, not only after it.
    await rig.flows();
    advances.set(weather.name, rig.progress(rig.head)!.batch - from);
    losses.set(weather.name, rig.names.flatMap((name) => rig.saidSince(name, since).filter(isLoss)).length);
    for (const proxy of rig.links) proxy.heal();
  });
  for (const { name } of WEATHERS) {
    const isReset = name.startsWith("reset");
    const lossesHere = losses.get(name)!;
    findings.push({
      claim: `${name}, on all links for ${forMs / 1000} s: the run goes on${isReset ? "" : ", and no link is lost"}`,
      bar: isReset ? "links lost, batches learnt" : "0 links lost, batches learnt",
      measured: `${lossesHere} ends of links lost, ${advances.get(name)} batches learnt`,
      met: advances.get(name)! > 0 && (isReset ? lossesHere > 0 : lossesHere === 0),
    });
  }
  return [...findings, ledgerFinding(outcome.violations, outcome.runs)];
}

/** A link that comes and goes. */
export async function flapping(
  {
    config,
    set,
    times,
    forMs,
  }: {
    readonly config: string;
    readonly set: readonly string[];
    readonly times: number;
    readonly forMs: number;
  },
  seed: number,
): Promise<Finding[]> {
  const silences = new Silences();
  const outcome = await inRuns([0, 1, 2], { config, set, seed }, async (rig, link) => {
    const proxy = rig.links[link]!;
    for (let time = 0; time < times; time++) {
      proxy.impair({ blackHole: true });
      await timer(forMs);
      proxy.impair({ blackHole: false });
      proxy.reset();
      await timer(forMs);
    }
    await silences.heal(rig, rig.names[link + 1]!, () => proxy.heal());
  });
  const what = `a link that flaps (${times} times ${forMs} ms, reset each time)`;
  return [...silences.findings(what), ledgerFinding(outcome.violations, outcome.runs)];
}

function isLoss({ msg }: LogLine): boolean {
  return msg === "lost successor" || msg === "lost predecessor";
}

/** How long a fault lasts is what it is, not a wait for something. */
function timer(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
