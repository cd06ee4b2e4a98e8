import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { Evaluation } from "../../../services/model/evaluation.ts";
import { openModel } from "../../../services/model/model.ts";
import { onnxOf } from "../../../services/model/onnx.ts";
import type { Config } from "../../../shared/config/config.ts";
import { dataFacts } from "../../../shared/config/data-facts.ts";
import { prepareConfig } from "../../../shared/config/read-config.ts";
import { DataFileError } from "../../../shared/data/data-file.ts";
import type { Batch, DataSet } from "../../../shared/data/data-set.ts";
import { openDataSet } from "../../../shared/data/kinds.ts";
import { judge } from "../../../shared/math/accuracy.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { saveRun } from "../../support/processes/saved-run.ts";

const runs = mkdtempSync(join(tmpdir(), "unlocked-onnx-"));
afterAll(() => rmSync(runs, { recursive: true }));

const PARTS = 10;
const BATCHES = 4;
const overrides = ["run.batchSize=16", "run.evaluateEvery=4", "run.checkpointEvery=4"];

const shipped = readdirSync("configs", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => join("configs", file))
  // Fashion's data may not be here, while MNIST's, for networks of the same widths, are.
  .sort(
    (one, other) =>
      Number(one.includes("fashion")) - Number(other.includes("fashion")) || (one < other ? -1 : 1),
  );

/** One of all configs whose networks are the same: ways to learn leave no trace in the file. */
const networks = new Map<string, string>();

async function read(file: string): Promise<Config> {
  const { config } = await prepareConfig(file, overrides);
  return { ...config, run: { ...config.run, batches: BATCHES, snapshotEvery: 0 } };
}

async function opened(config: Config): Promise<DataSet | undefined> {
  try {
    return await openDataSet(config.data);
  } catch (error) {
    if (!(error instanceof DataFileError)) throw error;
    return undefined;
  }
}

/** As the file takes it: what the data have, not scaled. */
function feed(session: InferenceSession, { input, rows }: Batch) {
  const [name] = session.inputNames as [string];
  const shape = [rows, input.length / rows];
  const tensor =
    name === "ids"
      ? new Tensor(
          "int64",
          BigInt64Array.from(input, (id) => BigInt(id)),
          shape,
        )
      : new Tensor("float32", Float32Array.from(input), shape);
  return { [name]: tensor };
}

async function compare(file: string): Promise<void> {
  const config = await read(file);
  const facts = dataFacts(config.data);
  const set = await opened(config);
  if (!set) return void console.log(`Not compared: ${file}, its data are not here.`);
  const { run, chain } = await saveRun(runs, file.replaceAll(/\W/g, "-"), config, set, BATCHES);
  const model = await openModel(run);
  const bytes = onnxOf(model);
  writeFileSync(join(runs, `${run.id}.onnx`), bytes);
  // A sequence is many examples.
  const most = facts.sequence ? 8 : 100;
  const session = await InferenceSession.create(bytes);
  const ours = new Evaluation(wasmKernels({ megabytes: 512 }), model, most);
  const { outputs, positions = 1 } = config.layers.at(-1)!;
  const parts = Array.from({ length: Math.min(PARTS, set.evaluationParts(most)) }, (_, part) =>
    set.evaluationPart(part, most),
  );
  let wrong = 0;
  for (const part of parts) {
    const { rows } = part;
    const input = Float32Array.from(part.input, (value) => value * set.inputScale);
    const theirs = await session.run(feed(session, part));
    const logits = (theirs.logits ?? theirs.values)!.data as Float32Array;
    expectClose(logits, ours.logits(input, rows));
    if (theirs.probabilities)
      expectClose(theirs.probabilities.data as Float32Array, ours.answers(input, rows));
    const labels = Float32Array.from(part.labels);
    wrong += judge(config.loss, logits, labels, rows * positions, outputs / positions).wrong;
  }
  const small = parts.flatMap((part) => slices(part, config.run.batchSize));
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const share = facts.judged === "class" ? positions * rows : outputs * rows;
  expect(wrong / share).toBeCloseTo(chain.evaluate(small).error, 9);
}

/** The same examples, in batches that a layer has room for. */
function slices({ input, labels, rows }: Batch, most: number): Batch[] {
  const [inputs, outputs] = [input.length / rows, labels.length / rows];
  const starts = Array.from({ length: Math.ceil(rows / most) }, (_, index) => index * most);
  return starts.map((start) => ({
    rows: Math.min(most, rows - start),
    input: input.slice(start * inputs, (start + most) * inputs),
    labels: labels.slice(start * outputs, (start + most) * outputs),
  }));
}

/** Within 1e-5, or 1e-5 of the largest. */
function expectClose(found: Float32Array, expected: Float32Array): void {
  expect(found).toHaveLength(expected.length);
  let [largest, farthest] = [1, 0];
  for (let at = 0; at < expected.length; at++) {
    largest = Math.max(largest, Math.abs(expected[at]!));
    farthest = Math.max(farthest, Math.abs(expected[at]! - found[at]!));
  }
  expect(farthest).toBeLessThanOrEqual(1e-5 * largest);
}

for (const file of shipped) {
  const { layers, data, loss } = await read(file);
  const key = JSON.stringify([layers.map(({ method: _, ...layer }) => layer), dataFacts(data), loss]);
  if (!networks.has(key)) networks.set(key, file);
}

describe("onnxruntime answers as the run's own evaluations do, on held-out examples:", () => {
  it.each([...networks.values()])("%s", compare, 60_000);
});

it("and ONNX's own checker finds nothing", () => {
  const script =
    "import onnx, sys\nfor f in sys.argv[1:]: onnx.checker.check_model(onnx.load(f), full_check=True)";
  const files = readdirSync(runs).filter((file) => file.endsWith(".onnx"));
  expect(files.length).toBeGreaterThan(5);
  if (spawnSync("/usr/bin/python3", ["-c", "import onnx"]).status !== 0)
    return void console.log("Not checked: there is no python3-onnx here.");
  const paths = files.map((file) => join(runs, file));
  const { status, stderr } = spawnSync("/usr/bin/python3", ["-c", script, ...paths], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});
