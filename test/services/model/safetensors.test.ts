import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Evaluation } from "../../../services/model/evaluation.ts";
import { openModel } from "../../../services/model/model.ts";
import { safetensorsOf } from "../../../services/model/safetensors.ts";
import { decode } from "../../../shared/checkpoint/safetensors.ts";
import { prepareConfig } from "../../../shared/config/read-config.ts";
import { openDataSet } from "../../../shared/data/kinds.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { saveRun } from "../../support/processes/saved-run.ts";

const PYTHON = "/usr/bin/python3";
const hasTorch = spawnSync(PYTHON, ["-c", "import torch"]).status === 0;
if (!hasTorch) console.log("PyTorch is not asked: there is no python3-torch here.");

const folder = mkdtempSync(join(tmpdir(), "unlocked-torch-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ROWS = 20;
const BATCHES = 4;

async function trained(file: string, ...overrides: string[]) {
  const { config: whole } = await prepareConfig(file, [
    "run.batchSize=16",
    "run.evaluateEvery=4",
    ...overrides,
  ]);
  const config = { ...whole, run: { ...whole.run, batches: BATCHES, snapshotEvery: 0 } };
  const set = await openDataSet(config.data);
  const { run } = await saveRun(folder, file.replaceAll(/\W/g, "-"), config, set, BATCHES);
  return { model: await openModel(run), set };
}

describe.runIf(hasTorch)("PyTorch loads the weights as they are, and answers as we do:", () => {
  it.each([
    ["configs/mnist.yaml", "a dense network, by the lines of docs/export.md"],
    ["configs/paper/conv/conv4-backprop.yaml", "convolutions, and a dense layer behind them"],
    ["configs/gpt/tiny.yaml", "a GPT, with PyTorch's own attention"],
  ])(
    "%s, %s",
    async (file) => {
      const { model, set } = await trained(file);
      const path = join(folder, "model.safetensors");
      writeFileSync(path, safetensorsOf(model));
      const part = set.evaluationPart(0, ROWS);
      const input = Float32Array.from(part.input, (value) => value * set.inputScale);
      writeFileSync(join(folder, "input"), new Uint8Array(input.buffer));
      const script = join(import.meta.dirname, "torch_agrees.py");
      const args = [script, path, "docs/export.md", join(folder, "input")];
      const { stdout, stderr } = spawnSync(PYTHON, args, { maxBuffer: 1 << 28 });
      expect(stderr.toString()).not.toContain("Traceback");
      const theirs = new Float32Array(new Uint8Array(stdout).buffer);
      const ours = new Evaluation(wasmKernels({ megabytes: 64 }), model, ROWS).logits(input, part.rows);
      expect(theirs).toHaveLength(ours.length);
      const largest = Math.max(1, ...ours.map(Math.abs));
      expect(Math.max(...ours.map((value, at) => Math.abs(value - theirs[at]!)))).toBeLessThan(
        1e-5 * largest,
      );
    },
    60_000,
  );
});

it("names the tensors and gives them the shapes that PyTorch's modules have", async () => {
  const { model } = await trained("configs/two-rings.yaml");
  const { shapes, metadata } = decode(safetensorsOf(model));
  expect(shapes).toEqual({
    "layer1.linear.weight": [4, 2],
    "layer2.linear.weight": [4, 4],
    "layer3.linear.weight": [2, 4],
  });
  expect(metadata).toMatchObject({ format: "pt", batch: "4", loss: "softmax-cross-entropy" });
});
