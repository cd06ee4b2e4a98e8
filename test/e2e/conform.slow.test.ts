import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { anyPort, reservePorts } from "../../services/train/ports.ts";
import { Worker } from "../support/processes/worker-process.ts";

const CONFIG = "configs/conform.yaml";

/** Layer 3 is the head. The source sends layer 1 what its data set has, whatever the links do: f32 is enough there. */
const WORKERS = [
  { layer: 1, dtype: "f32", hasSecret: true },
  ...["f32", "f16", "bf16", "i8"].flatMap((dtype) =>
    [2, 3].map((layer) => ({ layer, dtype, hasSecret: true })),
  ),
  { layer: 2, dtype: "f32", hasSecret: false },
] as const;

/** What most of it takes is silence: they are tried side by side. */
describe.concurrent("unlocked conform, at our own workers", () => {
  it.each(WORKERS)("finds nothing wrong with layer $layer at $dtype, secret: $hasSecret", async (one) => {
    const { layer, dtype, hasSecret } = one;
    const folder = mkdtempSync(join(tmpdir(), "unlocked-conform-"));
    const [port, successorPort] = await reservePorts([anyPort(), anyPort()]);
    const secret = join(folder, "secret");
    writeFileSync(secret, "a secret of 24 bytes, ok\n");
    const common = ["--config", CONFIG, "--set", `wire.dtype=${dtype}`, "--layer", String(layer)];
    if (hasSecret) common.push("--secret-file", secret);
    const successor = layer === 3 ? [] : ["--successor", `ws://127.0.0.1:${successorPort}`];
    const own = ["--run", "conform", "--state", join(folder, "state"), "--listen", `127.0.0.1:${port}`];
    const worker = new Worker(`layer${layer}`, [...common, ...own, ...successor]);
    try {
      const { code, output } = await conform([
        ...[`ws://127.0.0.1:${port}`, ...common],
        ...["--successor-port", String(successorPort)],
      ]);
      expect(output.split("\n").filter((line) => /^BROKEN|not tried/.test(line))).toEqual([]);
      expect(output).toMatch(/^\d{3} held, 0 broken$/m);
      expect(code).toBe(0);
      // The last check released it.
      expect(await worker.ended).toBe(0);
    } finally {
      worker.signal("SIGKILL");
      await worker.ended;
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

it("unlocked conform ends with 1 where something is broken, and with 78 where nobody is there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-conform-"));
  const where = ["--run", "another", "--state", join(folder, "state"), "--listen", "127.0.0.1:0"];
  const worker = new Worker("layer3", ["--config", CONFIG, "--layer", "3", ...where]);
  try {
    const url = `ws://127.0.0.1:${await worker.port()}`;
    const broken = await conform([url, "--layer", "3", "--only", "welcome: it says"]);
    expect(broken.output).toMatch(/^BROKEN {2}welcome: .*\n.*expected welcome, got close 4403/m);
    expect(broken.code).toBe(1);
    const absent = await conform(["ws://127.0.0.1:9", "--layer", "3", "--wait", "0"]);
    expect(absent).toMatchObject({ code: 78, output: expect.stringContaining("nobody answers there") });
  } finally {
    worker.signal("SIGKILL");
    await worker.ended;
    rmSync(folder, { recursive: true, force: true });
  }
});

function conform(args: readonly string[]): Promise<{ code: number; output: string }> {
  const command = ["services/start/run.cjs", "services/cli/main.ts", "conform", ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { maxBuffer: 2 ** 24 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}
