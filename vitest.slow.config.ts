import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

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

/** They take minutes each, and begin first: at the end one of them would keep one core and leave the other idle. */
const LONGEST = [
  "test/e2e/engines/swarm.slow.test.ts",
  "test/e2e/learning.slow.test.ts",
  "test/e2e/data.slow.test.ts",
  "test/e2e/engines/compose.slow.test.ts",
  "test/e2e/ways-bit-identical.slow.test.ts",
  "test/e2e/bit-identical.slow.test.ts",
  "test/checkpoint/mirrored-disk.slow.test.ts",
];

for (const path of LONGEST)
  if (!existsSync(path)) throw new Error(`Cannot begin with the longest: no ${path}`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.some((path) => moduleId.endsWith(path));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** What is waited for comes; a second, as vitest has it for a poll, is too short on a busy machine. */
const test = { testTimeout: 600_000, hookTimeout: 600_000, expect: { poll: { timeout: 60_000 } } };

/** The slow tier: thousands of simulated runs; then real processes training real networks, kills, containers. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
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
