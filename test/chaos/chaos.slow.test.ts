import { expect, it } from "vitest";
import { scenarios } from "./scenarios.ts";

/** Too long for a change's tests; `npm run chaos` has them. */
const LONG_ONLY = ["goodput", "goodput under fire", "staleness budget", "kills in MNIST", "no kills", "gpt"];
/** One seed for all schedules. Times may be missed by as much as a busy machine explains: docs/failures.md has the verdicts. */
const SEED = Number(process.env.SEED ?? 1);

const short = scenarios.filter(({ name, isByHand }) => !isByHand && !LONG_ONLY.includes(name));

for (const { name, obstacle, run } of short) {
  it(`${name}: the ledger is exact, and every bar is met, or on a busy machine nearly (SEED=${SEED})`, {
    timeout: 400_000,
  }, async (context) => {
    const why = obstacle?.();
    if (why !== undefined) {
      console.warn(`skipped, ${why}: ${name}`);
      context.skip(why);
    }
    const findings = await run("short", SEED);
    for (const { claim, measured, bar } of findings)
      console.log(`${name}: ${claim}: ${measured} (bar: ${bar})`);
    expect(findings.filter(({ met, tolerable = met }) => !tolerable)).toEqual([]);
  });
}
