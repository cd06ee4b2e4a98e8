import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LogLine } from "../../support/processes/experiment.ts";

const state = mkdtempSync(join(tmpdir(), "unlocked-kernels-"));
afterAll(() => rmSync(state, { recursive: true }));

/** The last line of a layer's log and its exit code. */
function startLayer(kernels: string, env: NodeJS.ProcessEnv, flagsOfNode: string[] = []) {
  const flags = ["--config", "configs/two-rings.yaml", "--run", "a", "--state", state, "--layer", "1"];
  const links = ["--listen", "127.0.0.1:0", "--successor", "ws://127.0.0.1:9"];
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      ...flagsOfNode,
      "services/start/run.cjs",
      "services/layer/main.ts",
      ...flags,
      ...links,
      "--set",
      `compute.kernels=${kernels}`,
    ],
    { env: { ...process.env, ...env }, encoding: "utf8" },
  );
  const lines = stdout.trim().split("\n");
  return { status, last: JSON.parse(lines.at(-1)!) as LogLine };
}

describe("a layer whose kernels are not to be had says so, and exits with the code of those that cannot start:", () => {
  it("a path of native kernels", () => {
    const { status, last } = startLayer("native", { UNLOCKED_NATIVE: "vax" });
    expect(last.msg).toMatch(/^Cannot compute natively by UNLOCKED_NATIVE=vax: this processor runs /);
    expect(status).toBe(78);
  });

  // What V8 takes for a processor of 2006.
  it.skipIf(process.arch !== "x64")("relaxed SIMD", () => {
    const { status, last } = startLayer("wasm-relaxed", {}, ["--no-enable-sse4-1"]);
    expect(last.msg).toMatch(
      /^Cannot compute with relaxed SIMD: .+SIMD unsupported.+set compute\.kernels to wasm$/,
    );
    expect(status).toBe(78);
  });
});
