import { expect } from "vitest";
import { chainOutcome as computeOutcome, type Outcome, runOutcome } from "./chain.ts";
import { Experiment } from "./processes/experiment.ts";

/** Of each run that is compared. */
export const BATCHES = 300;

/** Of the processes, and of one: computed while they run, since they leave a core idle now and then. */
export function bothOutcomes(config: string, set: readonly string[]): Promise<[Outcome, Outcome]> {
  return Promise.all([processesOutcome(config, set), chainOutcome(config, set)]);
}

/** Asked for as often as it is compared with, and always the same. */
const computed = new Map<string, Promise<Outcome>>();

export function chainOutcome(config: string, set: readonly string[]): Promise<Outcome> {
  const key = JSON.stringify([config, set]);
  const outcome = computed.get(key) ?? computeOutcome(config, set);
  computed.set(key, outcome);
  return outcome;
}

/** Nobody looks at these runs: they have no hub. */
export async function processesOutcome(config: string, set: readonly string[]): Promise<Outcome> {
  const experiment = new Experiment(config, { set, options: ["--no-dashboard"] });
  try {
    const summary = await experiment.summary();
    expect(summary.layers.map(({ applied, restarts }) => ({ applied, restarts }))).toEqual(
      summary.config.layers.map(() => ({ applied: [[0, BATCHES - 1]], restarts: 0 })),
    );
    return runOutcome(summary);
  } finally {
    await experiment.close();
  }
}
