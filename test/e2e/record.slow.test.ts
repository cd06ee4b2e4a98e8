import { expect, it, onTestFinished } from "vitest";
import type { MetricLine } from "../../shared/run/record-lines.ts";
import { notOnce, recordLines } from "../support/dashboard.ts";
import { Experiment, type LogLine } from "../support/experiment.ts";

const LAYERS = ["layer1", "layer2", "layer3"];
const BATCHES = 12_000;
const SET = [`run.batches=${BATCHES}`, "run.evaluateEvery=2000"];
const PORT = ["--dashboard-port", "0"];

it("the record of a run with two kills and a resume has every batch of every layer once", async () => {
  const first = new Experiment("configs/two-rings.yaml", { set: SET, options: PORT });
  onTestFinished(() => first.close());
  await first.until("layer3", evaluatedAt(2000));
  process.kill(first.pid("layer2"), "SIGKILL");
  await first.until("layer3", evaluatedAt(4000));
  process.kill(first.pid("layer1"), "SIGKILL");
  await first.until("layer3", evaluatedAt(6000));
  first.signal("SIGINT");
  expect((await first.ended).code).toBe(130);
  const second = new Experiment("", { resume: true, runs: first.runs, options: PORT });
  onTestFinished(() => second.close());
  await second.summary();

  const lines = recordLines<MetricLine>(second.folder, "metrics.ndjson");
  for (const worker of ["source", ...LAYERS])
    expect({ worker, notOnce: notOnce(lines, worker, BATCHES - 1) }).toEqual({ worker, notOnce: [] });
  const tested = new Set(lines.flatMap((line) => (line.kind === "evaluation" ? [line.batch] : [])));
  expect([...tested].sort((a, b) => a - b)).toEqual([2000, 4000, 6000, 8000, 10_000, 12_000]);
  // What was killed did some work twice: the file says so, and whoever reads it sees what stands.
  const said = lines.flatMap((line) => (line.kind === "segment" && line.worker !== "source" ? [line] : []));
  const lives = new Set(said.map(({ worker, incarnation }) => `${worker}/${incarnation}`));
  expect(lives).toContain("layer1/3");
  expect(lives).toContain("layer2/3");
});

function evaluatedAt(batch: number): (line: LogLine) => boolean {
  return (line) => line.msg === "evaluated" && Number(line.batch) >= batch;
}
