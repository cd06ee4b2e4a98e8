import { expect, it } from "vitest";
import {
  type FaultClass,
  type FreeFaultClass,
  faultClasses,
  freeFaultClasses,
  freeTracesOf,
  tracesOf,
} from "./no-trace.ts";

/** SEEDS=20000 FROM=1001 npx vitest run --config vitest.slow.config.ts test/sim/no-trace is the long tier. */
const count = Number(process.env.SEEDS ?? 100);
const from = Number(process.env.FROM ?? 1);

it.each(Object.keys(faultClasses) as FaultClass[])(
  `leaves no trace in ${count} pinned runs of any shape: %s`,
  { timeout: 60_000 + count * 2_000 },
  async (faults) => {
    for (let seed = from; seed < from + count; seed++)
      expect((await tracesOf(seed, faults)).troubles).toEqual([]);
  },
);

it.each(Object.keys(freeFaultClasses) as FreeFaultClass[])(
  `leaves no trace in ${count} free runs of any shape: %s`,
  { timeout: 60_000 + count * 2_000 },
  async (faults) => {
    for (let seed = from; seed < from + count; seed++)
      expect((await freeTracesOf(seed, faults)).troubles).toEqual([]);
  },
);
