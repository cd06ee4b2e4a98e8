import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { expect, it } from "vitest";

/** SEEDS=50000 FROM=2001 npx vitest run --config vitest.slow.config.ts test/sim is the long tier. */
const count = Number(process.env.SEEDS ?? 2000);
const from = Number(process.env.FROM ?? 1);

it(`no invariant is violated in ${count} simulated runs`, { timeout: count * 1000 }, async () => {
  const shares = sharesOf(from, count, availableParallelism());
  expect(shares.reduce((sum, share) => sum + share.count, 0)).toBe(count);
  expect((await Promise.all(shares.map(violationsInProcess))).flat()).toEqual([]);
});

interface Share {
  readonly from: number;
  readonly count: number;
}

/** Consecutive ones, none longer than another by more than one seed. */
function sharesOf(first: number, total: number, parts: number): Share[] {
  const start = (part: number) => first + Math.floor((total * part) / parts);
  return Array.from({ length: parts }, (_, part) => ({
    from: start(part),
    count: start(part + 1) - start(part),
  }));
}

/** Each share in a process of its own: seeds have nothing to do with each other, and a machine has several cores. */
async function violationsInProcess({ from, count }: Share): Promise<string[]> {
  const words = ["--import", "tsx", "test/sim/seeds-process.ts", String(from), String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout) as string[];
}
