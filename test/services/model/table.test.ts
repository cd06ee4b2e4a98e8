import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, expect, it } from "vitest";
import { Evaluation } from "../../../services/model/evaluation.ts";
import { inferAnswer } from "../../../services/model/inference.ts";
import { onnxOf } from "../../../services/model/onnx.ts";
import { predict } from "../../../services/model/predict.ts";
import { encodeRow, valuesOf } from "../../../shared/data/encode.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { modelOf } from "./model-of.ts";

const runs = mkdtempSync(join(tmpdir(), "unlocked-table-"));
afterAll(() => rmSync(runs, { recursive: true }));

it("a regression from a table answers in the labels' units: by predict, by ONNX and by evaluation alike", async () => {
  const rooms = Array.from({ length: 200 }, (_, row) => 1 + (row % 7));
  const towns = rooms.map((_, row) => ["Ely", "Bath", "York"][row % 3]!);
  const lines = rooms.map(
    (each, row) => `${each},${towns[row]},${100_000 + 30_000 * each + (row % 3) * 5000}`,
  );
  const file = join(runs, "houses.csv");
  writeFileSync(file, `rooms,town,price\n${lines.join("\n")}\n`);
  const config = join(runs, "houses.yaml");
  writeFileSync(
    config,
    `data: {set: csv, path: ${file}, label: price, task: regression}\nlayers: [{outputs: 8}, {outputs: 1}]\nrun: {batches: 4}\n`,
  );
  const { model } = await modelOf(runs, "houses-1", config);
  expect(model.facts.judged).toBe("values");
  const asked = [
    { rooms: 3, town: "Ely" },
    { rooms: 6, town: "York" },
  ];
  const inputs = asked.map((row) => encodeRow(model.facts, row));
  const evaluation = new Evaluation(wasmKernels({ megabytes: 8 }), model, 2);
  const outputs = evaluation.answers(Float32Array.from(inputs.flatMap((input) => [...input])), 2);
  const expected = [...outputs].map((output) => valuesOf(model.facts, [output])[0]!);
  expect(Math.min(...expected)).toBeGreaterThan(10_000);

  const session = await InferenceSession.create(onnxOf(model));
  const categories = (model.facts.columns![1] as { categories: readonly string[] }).categories;
  const { values } = await session.run({
    rooms: new Tensor("float32", Float32Array.of(3, 6), [2, 1]),
    town: new Tensor(
      "int64",
      BigInt64Array.from(asked, ({ town }) => BigInt(categories.indexOf(town))),
      [2, 1],
    ),
  });
  const served = inferAnswer(model, { inputs }, outputs) as { outputs: [{ name: string; data: number[] }] };
  expect(served.outputs[0].name).toBe("values");
  let text = "";
  const input = async function* () {
    yield "town,rooms\nEly,3\nYork,6\n";
  };
  const request = { files: ["-"], format: "ndjson" } as const;
  await predict(model, request, wasmKernels({ megabytes: 8 }), input, (more) => {
    text += more;
  });
  const said = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).values.price as number);
  for (const [row, value] of expected.entries()) {
    expect((values!.data as Float32Array)[row]! / value).toBeCloseTo(1, 5);
    expect(served.outputs[0].data[row]! / value).toBeCloseTo(1, 5);
    expect(said[row]! / value).toBeCloseTo(1, 5);
  }
});
