import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterEach, describe, expect, it } from "vitest";
import { readConfig } from "../../shared/config/read-config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { Experiment } from "../support/processes/experiment.ts";

const PROGRAM = ["services/start/run.cjs", "services/cli/main.ts"];

let experiment: Experiment;
let server: ChildProcess | undefined;

afterEach(async () => {
  server?.kill("SIGKILL");
  await experiment.close();
});

function unlocked(input: string, ...args: string[]) {
  const all = [...PROGRAM, ...args, "--runs", experiment.runs];
  return spawnSync(process.execPath, all, { encoding: "utf8", input });
}

/** Of the held-out points the share that the file's network puts on the wrong circle. */
async function errorOf(file: string): Promise<number> {
  const { config } = readConfig(
    "{data: {set: two-rings}, layers: [{outputs: 2}], run: {batches: 1}}",
    "x.yaml",
  );
  const set = await openDataSet(config.data);
  const session = await InferenceSession.create(file);
  let [wrong, rows] = [0, 0];
  for (let part = 0; part < set.evaluationParts(100); part++) {
    const { input, labels, rows: some } = set.evaluationPart(part, 100);
    const { logits } = await session.run({
      input: new Tensor("float32", Float32Array.from(input), [some, 2]),
    });
    const found = logits!.data as Float32Array;
    for (let row = 0; row < some; row++)
      if (found[2 * row]! > found[2 * row + 1]! !== (labels[row] === 0)) wrong++;
    rows += some;
  }
  return wrong / rows;
}

describe("a run over processes", () => {
  it("can be exported, asked and served while it trains, and has when it ends the error of its summary", async () => {
    const set = ["run.batches=6000", "run.checkpointEvery=100", "run.snapshotEvery=500"];
    experiment = new Experiment("configs/two-rings.yaml", { set });
    await experiment.until("source", ({ msg }) => msg === "snapshot");
    const early = join(experiment.runs, "early.onnx");
    const exported = unlocked(
      "",
      "export",
      "--onnx",
      early,
      "--safetensors",
      join(experiment.runs, "early.st"),
    );
    expect(exported.stderr).toBe("");
    expect(exported.status).toBe(0);
    expect(await errorOf(early)).toBeLessThan(0.6);
    const predicted = unlocked("0,0\n1,1\n", "predict", "latest", "--format", "csv");
    expect(predicted.stdout).toMatch(/^at,prediction,0,1\nstdin:1,[01],\S+\nstdin:2,[01],\S+\n$/);
    const { test } = await experiment.summary();
    const late = join(experiment.runs, "late.onnx");
    expect(unlocked("", "export", "--onnx", late).stdout).toContain("after 6000 of 6000 batches");
    expect(await errorOf(late)).toBeCloseTo(test!.error, 9);
    expect(test!.error).toBeLessThan(0.05);
  }, 120_000);

  it("is served until somebody stops the server, which then ends well", async () => {
    experiment = new Experiment("configs/two-rings.yaml", { set: ["run.batches=1500"] });
    await experiment.summary();
    server = spawn(process.execPath, [...PROGRAM, "serve", "--runs", experiment.runs, "--port", "0"]);
    const [text] = (await once(server.stdout!.setEncoding("utf8"), "data")) as [string];
    const [url] = /http:\S+/.exec(text)!;
    const response = await fetch(`${url}/predict`, {
      method: "POST",
      body: '{"rows": [[0, 0], [1.5, 1.5]]}',
    });
    const { predictions } = (await response.json()) as { predictions: { prediction: string }[] };
    // One lies within the inner circle, the other beyond the outer one.
    expect(predictions[0]!.prediction).not.toBe(predictions[1]!.prediction);
    const taken = new URL(url!).port;
    expect(unlocked("", "serve", "--port", taken)).toMatchObject({
      status: 78,
      stderr: expect.stringContaining("EADDRINUSE"),
    });
    server.kill("SIGTERM");
    expect(await once(server, "close")).toEqual([0, null]);
  }, 120_000);
});
