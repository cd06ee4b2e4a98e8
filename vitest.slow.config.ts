import { defineConfig } from "vitest/config";

/** The slow tier: real processes training real networks, kills, containers. One file at a time: they share two cores. */
export default defineConfig({
  test: {
    include: ["test/**/*.slow.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
