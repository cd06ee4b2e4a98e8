import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Span } from "../../services/layer/trace/tracer.ts";
import { Experiment } from "../support/processes/experiment.ts";

const BATCHES = 300;
const LAYERS = [1, 2, 3];
const opened: Experiment[] = [];
afterEach(async () => {
  for (const run of opened.splice(0)) await run.close();
});

describe("the trace of a run", () => {
  it("is of the format that viewers read, and has every batch of every layer", async () => {
    const { all, updates } = await traced("cdni");
    for (const event of all) {
      expect(event).toMatchObject({ name: expect.any(String), ph: expect.stringMatching(/^[MX]$/), pid: 1 });
      if (event.ph === "X") {
        expect(event.ts).toBeGreaterThanOrEqual(0);
        expect(event.dur).toBeGreaterThanOrEqual(0);
      }
    }
    for (const layer of LAYERS) {
      expect(updates(layer).map(({ args }) => args.batch)).toEqual(
        Array.from({ length: BATCHES }, (_, n) => n),
      );
      const own = spansOf(all, layer);
      for (const [index, span] of own.slice(1).entries())
        expect(span.ts).toBeGreaterThanOrEqual(own[index]!.ts + own[index]!.dur - ROUNDING);
    }
  });

  it("shows layers that update before those after them have, and with backprop none that does", async () => {
    expect(await updatedBeforeItsSuccessor("cdni")).toBe(2 * BATCHES);
    expect(await updatedBeforeItsSuccessor("backprop")).toBe(0);
  });
});

/** Microseconds since 1970 are as exact as a double can hold them, to a quarter of one, twice. */
const ROUNDING = 1;

/** How often a hidden layer began to update on a batch before the layer after it had done so. */
async function updatedBeforeItsSuccessor(method: string): Promise<number> {
  const { updates } = await traced(method);
  let count = 0;
  for (const layer of LAYERS.slice(0, -1))
    for (const [index, update] of updates(layer).entries()) {
      const after = updates(layer + 1)[index]!;
      expect(after.args.batch).toBe(update.args.batch);
      if (update.ts < after.ts + after.dur - ROUNDING) count += 1;
    }
  return count;
}

async function traced(method: string) {
  const locked = method === "backprop" ? ["delivery.window=1"] : [];
  const run = new Experiment("configs/two-rings.yaml", {
    set: [`run.batches=${BATCHES}`, `learning.method=${method}`, ...locked],
    options: ["--trace", "--no-dashboard"],
  });
  opened.push(run);
  await run.summary();
  const text = readFileSync(join(run.folder, "trace.json"), "utf8");
  const all = (JSON.parse(text) as { traceEvents: Span[] }).traceEvents;
  const updates = (layer: number) => spansOf(all, layer).filter(({ name }) => name.endsWith("update"));
  return { all, updates };
}

function spansOf(all: readonly Span[], layer: number): Span[] {
  return all.filter(({ ph, tid }) => ph === "X" && tid === layer);
}
