import { scenarioOf, simulate } from "./scenario.ts";

/** Simulates these seeds, one after another; says of each that is violated by what, and how to see it again. */
export async function violationsOf(from: number, count: number): Promise<string[]> {
  const found: string[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const { violations, story } = await simulate(scenarioOf(seed), seed);
    for (const { invariant, what } of violations) found.push(`${invariant}: ${what} (${commandFor(seed)})`);
    if (count === 1 && violations.length > 0) found.push(...story);
  }
  return found;
}

function commandFor(seed: number): string {
  return `SEED=${seed} npx vitest run test/sim/simulation.test.ts -t "every layer"`;
}
