import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { encodeOnnx } from "../../../services/model/onnx-file.ts";
import { inputsOf } from "../../../services/model/onnx-inputs.ts";
import type { DataFacts } from "../../../shared/config/data-facts.ts";
import { encodeRow } from "../../../shared/data/encode.ts";
import { OnnxGraph } from "../../../shared/layers/onnx-graph.ts";

const columns = [
  { name: "age", mean: 40, deviation: 12 },
  { name: "income", mean: 2, deviation: 0.5, marksMissing: true },
  { name: "relu", categories: ["red", "green", "blue"] },
] as const;
const facts: DataFacts = {
  ...{ inputWidth: 6, labelWidth: 2, inputType: "f32", judged: "class", trainingExamples: 10, columns },
};

it("the columns of a table are named inputs, which become what the data set makes of the same rows", async () => {
  const rows = [
    { age: 31, income: 2.25, relu: "blue" },
    { age: "", income: "NA", relu: "?" },
    { age: -4.5, income: 0, relu: "red" },
  ];
  const graph = new OnnxGraph();
  const { ports, value } = inputsOf(graph, facts);
  graph.name(value, "seen");
  const outputs = [{ name: "seen", type: "float", shape: [6] }] as const;
  const session = await InferenceSession.create(
    encodeOnnx(graph, { name: "columns", inputs: ports, outputs, metadata: {} }),
  );
  const floats = (values: number[]) => new Tensor("float32", Float32Array.from(values), [3, 1]);
  const { seen } = await session.run({
    age: floats([31, Number.NaN, -4.5]),
    income: floats([2.25, Number.NaN, 0]),
    relu: new Tensor("int64", BigInt64Array.of(2n, -1n, 0n), [3, 1]),
  });
  const expected = rows.flatMap((row) => [...encodeRow(facts, row)]);
  const found = [...(seen!.data as Float32Array)];
  for (const [at, each] of found.entries()) expect(each).toBeCloseTo(expected[at]!, 5);
});
