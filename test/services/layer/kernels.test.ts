import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { LogLine } from "../../support/experiment.ts";

const state = mkdtempSync(join(tmpdir(), "unlocked-kernels-"));
afterAll(() => rmSync(state, { recursive: true }));

it("a layer that shall compute with BLAS and finds none says so, and exits with the code of those that cannot start", () => {
  const flags = ["--config", "configs/two-rings.yaml", "--run", "a", "--state", state, "--layer", "1"];
  const links = ["--listen", "127.0.0.1:0", "--successor", "ws://127.0.0.1:9"];
  const { status, stdout } = spawnSync(
    process.execPath,
    ["bin/run.mjs", "services/layer/main.ts", ...flags, ...links, "--set", "compute.kernels=blas"],
    { env: { ...process.env, UNLOCKED_BLAS: "/nowhere/libblas.so" }, encoding: "utf8" },
  );
  const lines = stdout.trim().split("\n");
  const last = JSON.parse(lines.at(-1)!) as LogLine;
  expect(last.msg).toMatch(/^Cannot compute with BLAS: tried \/nowhere\/libblas\.so/);
  expect(status).toBe(78);
});
