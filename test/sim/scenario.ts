import type { Config } from "../../shared/config/config.ts";
import { readConfig } from "../../shared/config/read-config.ts";
import { Nemesis } from "./nemesis.ts";
import { Simulation } from "./simulation.ts";
import { type SimulatedRandom, simulatedRandom } from "./world/event-queue.ts";

/** What a run is like, and how long faults go on (in virtual milliseconds; 0 for none). */
export interface Scenario {
  readonly layers: number;
  readonly batches: number;
  readonly window: number;
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
  readonly stalenessBudget: number;
  readonly method: "cdni" | "dni" | "local" | "backprop" | "frozen";
  /** This hidden layer, from 1, learns by backprop among others that guess. */
  readonly lockedLayer?: number;
  readonly staleness?: number;
  readonly faultsMs: number;
  /** 0 for none. */
  readonly snapshotEvery?: number;
  /** Inputs are guessed. */
  readonly isUnlocked?: boolean;
  /** Gradients of backprop come late: through these weights. */
  readonly late?: "stashed" | "present";
}

/** Neighbours look for each other less often than by default: so they come back in more orders. */
const template = readConfig(
  `
data: { set: two-rings, heldOut: 10 }
layers: [{ outputs: 3, batchNorm: false }, { outputs: 2 }]
run: { batchSize: 4, batches: 10, evaluateEvery: 10 }
compute: { kernels: plain }
link: { backoffMs: { most: 1000 } }
`,
  "simulated",
).config;

/** Everything about a run follows from its seed: what it is like, what goes wrong, and when. */
export function scenarioOf(seed: number): Scenario {
  const random = simulatedRandom(seed * 2 + 1);
  const pick = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const method = pick("cdni", "cdni", "cdni", "dni", "frozen", "backprop");
  const isLocked = method === "backprop";
  const staleness = isLocked ? 0 : pick(0, 0, 0, 1, 2, 4);
  const scenario: Scenario = {
    layers: pick(1, 2, 3, 3, 4, 5),
    batches: pick(20, 40, 60, 80),
    window: isLocked ? 1 : Math.max(staleness, pick(1, 2, 4, 4, 8)),
    evaluateEvery: pick(7, 20, 50),
    checkpointEvery: pick(1, 5, 10, 20),
    stalenessBudget: pick(0, 1, 4, 16, 64),
    method,
    ...(staleness > 0 ? { staleness } : {}),
    faultsMs: pick(500, 2000, 6000),
    snapshotEvery: pick(0, 1, 3, 5, 7, 20),
    isUnlocked: !isLocked && pick(true, false, false),
  };
  const isMixed = pick(true, false, false);
  const mayMix = scenario.layers > 1 && !isLocked && !scenario.isUnlocked;
  const lockedLayer = 1 + Math.floor(random() * (scenario.layers - 1));
  if (isMixed && mayMix) return { ...scenario, lockedLayer };
  if (!isLocked || pick(true, false)) return scenario;
  const pinned = pick(0, 0, 1, 2, 4);
  const late = pick("stashed", "present");
  return {
    ...scenario,
    window: Math.max(pinned, pick(2, 4, 8)),
    ...(pinned > 0 && { staleness: pinned }),
    late,
  };
}

export function configOf(scenario: Scenario): Config {
  const { layers, batches, window, evaluateEvery, checkpointEvery, stalenessBudget } = scenario;
  const { method, lockedLayer, staleness, snapshotEvery = 0, isUnlocked = false, late } = scenario;
  const hidden = template.layers[0]!;
  const head = template.layers.at(-1)!;
  const chain = Array.from({ length: layers - 1 }, (_, index) => ({
    ...hidden,
    inputs: index === 0 ? 2 : 3,
    ...(index + 1 === lockedLayer ? { method: "backprop" as const } : {}),
  }));
  const { generator } = template.learning;
  const evidence = method === "dni" ? (["output"] as const) : generator.evidence;
  const inputs = isUnlocked ? { inputGenerator: { rate: 0.02, hidden: [4] } } : {};
  return {
    ...template,
    layers: [...chain, { ...head, inputs: layers === 1 ? 2 : 3 }],
    learning: {
      ...template.learning,
      method,
      generator: { ...generator, evidence },
      ...inputs,
      ...(late && { late: { weights: late } }),
    },
    run: { ...template.run, batches, evaluateEvery, checkpointEvery, snapshotEvery },
    delivery: { window, stalenessBudget, schedule: staleness === undefined ? "free" : { staleness } },
  };
}

/** Runs that end take a tenth of it. */
const MOST_EVENTS = 60_000;

export async function simulate(
  scenario: Scenario,
  seed: number,
  config = configOf(scenario),
): Promise<Simulation> {
  const random: SimulatedRandom = simulatedRandom(seed);
  const simulation = new Simulation(config, random);
  if (scenario.faultsMs > 0) new Nemesis(simulation, scenario.faultsMs);
  await simulation.run(MOST_EVENTS);
  return simulation;
}
