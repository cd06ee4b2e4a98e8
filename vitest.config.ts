import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** The quick tier: everything that needs neither an engine nor minutes. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/**/*.slow.test.ts", "node_modules/**"],
    // For what hangs, with room for a machine that is slow and busy.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // What is waited for comes; a second, as vitest has it, is too short on a busy machine.
    expect: { poll: { timeout: 60_000 } },
    // Many wait for a process or a clock: with a worker a core, a fifth of the processors' time goes unused.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
  },
});
