import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { Evaluation } from "../../services/model/evaluation.ts";
import { onnxOf } from "../../services/model/onnx.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { chooseKernels } from "../../shared/math/choose-kernels.ts";
import type { Asked } from "../harness/bench.ts";
import type { Table } from "../harness/report.ts";
import { savedModel } from "./saved-model.ts";

const IMAGES = 60_000;
const ROWS = 256;
const WIDTH = 784;

/** Images a second, ours and onnxruntime's on one thread. */
export async function measurePredictions({ isQuick, say }: Asked): Promise<Table> {
  const runs = mkdtempSync(join(tmpdir(), "unlocked-bench-"));
  try {
    const model = await savedModel(runs);
    const { kernels } = chooseKernels(model.config.compute.kernels, process);
    const evaluation = new Evaluation(kernels, model, ROWS);
    const session = await InferenceSession.create(onnxOf(model), {
      ...{ intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" },
    });
    const set = await openDataSet(model.config.data);
    const pixels = Float32Array.from(set.batch(1, 0, IMAGES).input);
    const floats = pixels.map((value) => value * set.inputScale);
    const theirs = async () => {
      for (let from = 0; from < IMAGES; from += ROWS) {
        const rows = Math.min(ROWS, IMAGES - from);
        const part = pixels.subarray(from * WIDTH, (from + rows) * WIDTH);
        await session.run({ input: new Tensor("float32", part, [rows, WIDTH]) });
      }
    };
    const ours = async () => {
      for (let from = 0; from < IMAGES; from += ROWS) {
        const rows = Math.min(ROWS, IMAGES - from);
        evaluation.answers(floats.subarray(from * WIDTH, (from + rows) * WIDTH), rows);
      }
    };
    const seconds = { ours: [] as number[], theirs: [] as number[] };
    for (let round = 0; round < (isQuick ? 3 : 9); round++) {
      seconds.ours.push(await secondsOf(ours));
      seconds.theirs.push(await secondsOf(theirs));
    }
    const [mine, other] = [IMAGES / median(seconds.ours), IMAGES / median(seconds.theirs)];
    say(`predictions: ${Math.round(mine)} images a second, onnxruntime ${Math.round(other)}`);
    return {
      title: "Predictions, one thread",
      columns: ["by", "images a second"],
      rows: [
        [`unlocked (${kernels.name})`, mine],
        ["onnxruntime-node", other],
      ],
      bars: [{ of: "predictions against onnxruntime-node", measured: mine / other, unit: "×", least: 0.7 }],
    };
  } finally {
    rmSync(runs, { recursive: true });
  }
}

async function secondsOf(what: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await what();
  return (performance.now() - began) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}
