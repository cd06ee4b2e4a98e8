import { expect, it } from "vitest";
import { violationsOf } from "./seeds.ts";

/** SEEDS=50000 FROM=2001 npx vitest run --config vitest.slow.config.ts test/sim is the long tier. */
const count = Number(process.env.SEEDS ?? 2000);
const from = Number(process.env.FROM ?? 1);

it(`no invariant is violated in ${count} simulated runs`, { timeout: count * 1000 }, async () => {
  expect(await violationsOf(from, count)).toEqual([]);
});
