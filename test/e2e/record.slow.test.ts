import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { MetricLine } from "../../shared/record/lines.ts";
import { standing } from "../../shared/record/standing.ts";
import { keptByTensorBoard, readEvents } from "../support/event-files.ts";
import { notOnce, recordLines } from "../support/page/dashboard.ts";
import { Experiment, type LogLine } from "../support/processes/experiment.ts";

const LAYERS = ["layer1", "layer2", "layer3"];
const BATCHES = 12_000;
const SET = [`run.batches=${BATCHES}`, "run.evaluateEvery=2000"];
const OPTIONS = ["--dashboard-port", "0", "--tensorboard"];

it("the record of a run with two kills and a resume has every batch of every layer once, for TensorBoard too", async () => {
  const first = new Experiment("configs/two-rings.yaml", { set: SET, options: OPTIONS });
  onTestFinished(() => first.close());
  await first.until("layer3", evaluatedAt(2000));
  process.kill(first.pid("layer2"), "SIGKILL");
  await first.until("layer3", evaluatedAt(4000));
  process.kill(first.pid("layer1"), "SIGKILL");
  await first.until("layer3", evaluatedAt(6000));
  first.signal("SIGINT");
  expect((await first.ended).code).toBe(130);
  const second = new Experiment("", { resume: true, runs: first.runs, options: OPTIONS });
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

  // And so does TensorBoard, of the files that were written meanwhile.
  const folder = join(second.folder, "tensorboard", "layer2");
  const [file, ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  const steps = keptByTensorBoard(readEvents(join(folder, file!)), "speed/batches per second").map(
    ([step]) => step,
  );
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
  expect(steps.at(-1)).toBe(BATCHES - 1);
  // Each segment that stands ends where the curve has a step; older lives may have more of them in between.
  for (const { last } of standing(lines).segments("layer2")) expect(steps).toContain(last);
});

function evaluatedAt(batch: number): (line: LogLine) => boolean {
  return (line) => line.msg === "evaluated" && Number(line.batch) >= batch;
}
