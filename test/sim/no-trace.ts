import { chainDigests, digestsOf } from "./digests.ts";
import { simulatedRandom } from "./event-queue.ts";
import { Nemesis } from "./nemesis.ts";
import { configOf, type Scenario } from "./scenario.ts";
import { Simulation } from "./simulation.ts";

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

/** What is wrong with the run of this seed; empty if nothing. */
export async function tracesOf(
  seed: number,
  faults: FaultClass,
  scenario: PinnedScenario = pinnedScenarioOf(seed),
): Promise<{ readonly troubles: string[]; readonly simulation: Simulation }> {
  const config = configOf(scenario);
  const simulation = new Simulation(config, simulatedRandom(seed));
  if (scenario.faultsMs > 0) new Nemesis(simulation, scenario.faultsMs, faultClasses[faults]);
  await simulation.run(MOST_EVENTS);
  const troubles = simulation.violations.map(({ invariant, what }) => `${invariant}: ${what}`);
  if (troubles.length === 0) {
    const expected = await chainDigests(config, scenario.staleness);
    for (const [index, digest] of digestsOf(simulation).entries())
      if (digest !== expected[index]) troubles.push(`no trace: layer ${index + 1} ends with other weights`);
  }
  return { troubles: troubles.map((what) => `seed ${seed}: ${what}`), simulation };
}
