import { execFile } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ENTRY_BYTES, orderPath } from "../../shared/record/order-record.ts";
import { Experiment } from "../support/processes/experiment.ts";
import { inexact, killWhileItRuns } from "../support/processes/kills.ts";
import { seeded } from "../support/seeded.ts";

const BATCHES = 1000;
const set = [`run.batches=${BATCHES}`, "run.checkpointEvery=100", "run.evaluateEvery=500"];
/** By hand RUNS=20. */
const KILLED_RUNS = Number(process.env.RUNS ?? 2);
const SAME = /^layer\d {2}[0-9a-f]{64} {2}the same$/gm;

const opened: Experiment[] = [];
afterEach(async () => {
  for (const experiment of opened.splice(0)) await experiment.close();
});

function begin(config: string, more: readonly string[] = []): Experiment {
  const experiment = new Experiment(config, { set: [...set, ...more] });
  opened.push(experiment);
  return experiment;
}

function replay({ runs }: Experiment): Promise<{ readonly code: number; readonly output: string }> {
  const words = ["services/start/run.cjs", "services/cli/main.ts", "replay", "--runs", runs];
  return new Promise((resolve) => {
    execFile(process.execPath, words, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

describe("a free run over processes, computed again in one", () => {
  it.each(["configs/mnist.yaml", "configs/binary-addition.yaml", "configs/gpt/tiny.yaml"])(
    "comes to the same weights (%s), and to others in another order",
    async (config) => {
      const experiment = begin(config);
      const { layers } = await experiment.summary();
      const { code, output } = await replay(experiment);
      expect(output.match(SAME)).toHaveLength(layers.length);
      expect(code).toBe(0);
      const path = orderPath(join(experiment.folder, "checkpoints", "layer1"));
      const order = readFileSync(path);
      order.writeUInt32LE(1, 4 * (BATCHES / 2));
      writeFileSync(path, order);
      const other = await replay(experiment);
      expect(other.output).toContain("other weights than the run's");
      expect(other.code).toBe(1);
    },
  );

  it.each(["source", "layer2", "layer4"])("comes to the same weights where %s was killed", async (victim) => {
    const experiment = begin("configs/mnist.yaml", ["run.batches=2000", "run.checkpointEvery=400"]);
    const { batch } = await experiment.until("layer2", ({ msg }) => msg === "checkpoint");
    const order = orderPath(join(experiment.folder, "checkpoints", "layer2"));
    // Else it may die with nothing to do again.
    await expect.poll(() => statSync(order).size / ENTRY_BYTES).toBeGreaterThan(batch! + 10);
    process.kill(experiment.pid(victim), "SIGKILL");
    await experiment.summary();
    const { code, output } = await replay(experiment);
    expect(output.match(SAME)).toHaveLength(4);
    expect(code).toBe(0);
    if (victim === "layer2")
      expect(output).toMatch(/^layer2 applied batches \d+ to \d+ more than once: that recovery was exact$/m);
  });

  it(`comes to the same weights where any workers were killed, in ${KILLED_RUNS} runs`, {
    timeout: 60_000 + KILLED_RUNS * 90_000,
  }, async () => {
    const random = seeded(11);
    for (let run = 1; run <= KILLED_RUNS; run++) {
      const experiment = begin("configs/mnist.yaml", ["run.checkpointEvery=50"]);
      const kills = await killWhileItRuns(experiment, random, 12);
      await experiment.summary();
      const { code, output } = await replay(experiment);
      const same = output.match(SAME)?.length ?? 0;
      console.log(`run ${run}: ${kills} kills, ${same} of 4 layers the same`);
      expect(kills).toBeGreaterThan(0);
      expect(inexact(experiment), `run ${run}`).toEqual([]);
      expect(same, `run ${run}: ${output}`).toBe(4);
      expect(code).toBe(0);
    }
  });
});
