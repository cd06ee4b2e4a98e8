import { defineConfig } from "vitest/config";

/** The quick tier: everything that needs neither an engine nor minutes. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/**/*.slow.test.ts", "node_modules/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Else one core of two stays idle.
    maxWorkers: "100%",
  },
});
