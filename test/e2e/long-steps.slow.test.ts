import { afterEach, expect, it } from "vitest";
import { check, fromRanges } from "../../shared/checkpoint/ledger.ts";
import { DirectRun } from "../support/processes/direct-run.ts";

const BATCHES = 20;
const HEARTBEAT_MS = 30;
let run: DirectRun;
afterEach(() => run.close());

// Without word of them each link is lost at the third heartbeat of each step, and no run of these ended within a minute.
it.each(["backprop", "cdni"])(
  "a run ends though each step of a layer takes longer than three heartbeats: %s",
  async (method) => {
    const wide = "{outputs: 384, nonlinearity: relu}";
    run = new DirectRun("configs/two-rings.yaml", 3, [
      ...["compute.kernels=plain", `link.heartbeatMs=${HEARTBEAT_MS}`, `learning.method=${method}`],
      ...[`run.batches=${BATCHES}`, "run.batchSize=256", "run.evaluateEvery=20", "run.checkpointEvery=5"],
      `layers=[${wide}, ${wide}, {outputs: 2}]`,
    ]);
    const beganAt = performance.now();
    await run.startAll();
    const { layers } = await run.summary();
    const stepMs = (performance.now() - beganAt) / BATCHES;
    for (const { applied } of layers) expect(check(fromRanges(applied), BATCHES)).toEqual([]);
    // Else this proves nothing.
    expect(stepMs).toBeGreaterThan(3 * HEARTBEAT_MS);
  },
  180_000,
);
