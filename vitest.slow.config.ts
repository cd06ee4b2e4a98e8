import { defineConfig } from "vitest/config";

/**
 * Their bars are times: one file at a time. All others wait for what happens, however long it takes: three at a time, as many
 * of them wait for an engine or for a fault to pass.
 */
const TIMED = [
  "test/chaos/*.slow.test.ts",
  "test/fuzz/live-layer.slow.test.ts",
  "test/e2e/stop-resume.slow.test.ts",
  "test/e2e/page/{ask,dashboard}.slow.test.ts",
  "test/e2e/engines/store.slow.test.ts",
];

/** What is waited for comes; a second, as vitest has it for a poll, is too short on a busy machine. */
const test = { testTimeout: 600_000, hookTimeout: 600_000, expect: { poll: { timeout: 60_000 } } };

/** The slow tier: thousands of simulated runs; then real processes training real networks, kills, containers. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...test,
          name: "events",
          include: ["test/**/*.slow.test.ts"],
          exclude: [...TIMED, "node_modules/**"],
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: { ...test, name: "times", include: TIMED, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
