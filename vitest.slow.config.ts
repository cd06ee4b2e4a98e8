import { defineConfig } from "vitest/config";

/** What they find does not depend on how fast they are: two at a time. */
const COMPUTING = [
  "test/sim/*.slow.test.ts",
  "test/fuzz/frames.slow.test.ts",
  "test/checkpoint/*.slow.test.ts",
  "test/e2e/*bit-identical.slow.test.ts",
  "test/e2e/{bad-input,conform,from-snapshot,learning,record,secret,trace}.slow.test.ts",
  "test/math/**/*.slow.test.ts",
];

const test = { testTimeout: 600_000, hookTimeout: 600_000 };

/** The slow tier: thousands of simulated runs; then real processes training real networks, kills, containers. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...test,
          name: "computing",
          include: COMPUTING,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...test,
          name: "processes",
          include: ["test/**/*.slow.test.ts"],
          exclude: [...COMPUTING, "node_modules/**"],
          // One file at a time: they share the cores.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
