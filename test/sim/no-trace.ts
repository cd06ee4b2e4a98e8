import { recordedOrder } from "../../shared/dni/order.ts";
import { chainDigests, digestsOf } from "./digests.ts";
import { Nemesis } from "./nemesis.ts";
import { configOf, type Scenario } from "./scenario.ts";
import { Simulation } from "./simulation.ts";
import { simulatedRandom } from "./world/event-queue.ts";

/**
 * A neighbour that gives a batch another number may be believed: against lies there is no promise. What may happen
 * to a pinned run and leave no trace in its weights (promise G8). */
export const faultClasses = {
  "one process": ["kill"],
  "any processes": ["kill", "kill several", "stop", "freeze and replace", "duplicate"],
  "processes and links": [
    ...["kill", "kill several", "stop", "freeze", "freeze and replace", "duplicate"],
    ...["cut link", "black hole", "doubled frame"],
  ],
  "processes and power": ["kill", "kill several", "power cut", "power cut everywhere"],
  "processes and newest files": ["kill", "kill several", "bit flip"],
} as const;

/** The same of a free run. Two lives at once would write into one order, and a power cut takes it. */
export const freeFaultClasses = {
  "one process": ["kill"],
  "any processes": ["kill", "kill several", "stop"],
  "processes and links": [
    "kill",
    "kill several",
    "stop",
    "freeze",
    "cut link",
    "black hole",
    "doubled frame",
  ],
  "processes and newest files": ["kill", "kill several", "bit flip"],
} as const;

export type FreeFaultClass = keyof typeof freeFaultClasses;

export type PinnedScenario = Scenario & { readonly staleness: number };

export type FaultClass = keyof typeof faultClasses;

const MOST_EVENTS = 90_000;

/** A run of any shape and way to learn, all pinned. */
export function pinnedScenarioOf(seed: number): PinnedScenario {
  const random = simulatedRandom(seed * 2 + 1);
  const pick = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const method = pick("cdni", "cdni", "cdni", "dni", "frozen", "backprop");
  const isLocked = method === "backprop";
  const staleness = isLocked ? 1 : pick(1, 1, 2, 3, 4);
  const layers = pick(1, 2, 3, 4, 5);
  const isUnlocked = !isLocked && pick(true, false, false);
  const lockedLayer = 1 + Math.floor(random() * (layers - 1));
  const isMixed = layers > 1 && !isLocked && !isUnlocked && pick(true, false, false);
  return {
    ...{ layers, method, staleness, isUnlocked },
    ...(isMixed && { lockedLayer }),
    batches: pick(40, 60, 80),
    window: isLocked ? 1 : Math.max(staleness, pick(1, 2, 4, 4, 8)),
    evaluateEvery: pick(7, 20, 50),
    checkpointEvery: pick(2, 5, 10, 20),
    stalenessBudget: pick(4, 16, 64),
    faultsMs: pick(500, 2000, 4000),
    snapshotEvery: pick(0, 0, 3, 7, 20),
  };
}

/** Not unlocked: what its inputs came to is not written down. */
export function freeScenarioOf(seed: number): Scenario {
  const { staleness: _, ...scenario } = pinnedScenarioOf(seed);
  return { ...scenario, isUnlocked: false };
}

interface Traces {
  /** What is wrong with the run; empty if nothing. */
  readonly troubles: string[];
  readonly simulation: Simulation;
}

export function tracesOf(
  seed: number,
  faults: FaultClass,
  scenario: PinnedScenario = pinnedScenarioOf(seed),
): Promise<Traces> {
  return tracesIn(scenario, seed, faultClasses[faults]);
}

export function freeTracesOf(
  seed: number,
  faults: FreeFaultClass,
  scenario: Scenario = freeScenarioOf(seed),
): Promise<Traces> {
  return tracesIn(scenario, seed, freeFaultClasses[faults]);
}

async function tracesIn(scenario: Scenario, seed: number, faults: readonly string[]): Promise<Traces> {
  const config = configOf(scenario);
  const simulation = new Simulation(config, simulatedRandom(seed));
  if (scenario.faultsMs > 0) new Nemesis(simulation, scenario.faultsMs, faults);
  await simulation.run(MOST_EVENTS);
  const troubles = simulation.violations.map(({ invariant, what }) => `${invariant}: ${what}`);
  if (troubles.length === 0) {
    const expected = await untroubled(simulation, scenario);
    for (const [index, digest] of digestsOf(simulation).entries())
      if (digest !== expected[index]) troubles.push(`no trace: layer ${index + 1} ends with other weights`);
  }
  return { troubles: troubles.map((what) => `seed ${seed}: ${what}`), simulation };
}

/** The digests of the reference chain: pinned, or in the order that the layers of this run wrote. */
export function untroubled(
  { config, posts }: Simulation,
  { staleness }: Pick<Scenario, "staleness">,
): Promise<string[]> {
  if (staleness !== undefined) return chainDigests(config, staleness);
  const orders = posts
    .slice(1)
    .map(({ order }) => (order.length > 0 ? recordedOrder(order as number[]) : undefined));
  return chainDigests(config, 1, orders);
}
