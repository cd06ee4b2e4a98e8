import { expect, test } from "vitest";
import { decodeMutants } from "./decode-mutants.ts";

// Twenty runs, each of which one line repeats: decodeMutants(seed, 50_000).
test.each(Array.from({ length: 20 }, (_, seed) => seed))(
  "a million mutants, 50,000 of them by seed %i",
  (seed) => {
    const { taken, refused, tookMs, mostBytes } = decodeMutants(seed, 50_000);
    console.info(
      `seed ${seed}: ${taken} taken, ${refused} refused; of one frame at most ${Math.max(...tookMs).toFixed(1)} ms, ${(mostBytes / 2 ** 20).toFixed(1)} MB`,
    );
    expect(taken + refused).toBe(50_000);
  },
);
