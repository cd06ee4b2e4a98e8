import type { DataFacts } from "../../shared/config/data-facts.ts";
import type { Column } from "../../shared/data/table/column.ts";
import type { OnnxGraph } from "../../shared/layers/onnx-graph.ts";
import type { OnnxPort } from "./onnx-file.ts";

const FLOAT = 1;

/**
 * What the file takes, and the value that goes to layer 1. Rows of a table have an input for each column, examples × 1: a
 * number, NaN where it is missing; a category as its place among them, −1 where it is missing. Texts are ids; all else is
 * one row of numbers as the data have them (pixels: 0 to 255).
 */
export function inputsOf(
  graph: OnnxGraph,
  { columns, sequence, inputWidth, inputScale = 1 }: DataFacts,
): { readonly ports: readonly OnnxPort[]; readonly value: string } {
  if (columns) {
    const parts = columns.flatMap((column) => inputsOfColumn(graph, column));
    const ports = columns.map((column): OnnxPort => {
      return { name: column.name, type: "categories" in column ? "int64" : "float", shape: [1] };
    });
    return { ports, value: graph.add("Concat", parts, { axis: 1 }) };
  }
  const name = sequence ? "ids" : "input";
  const value = inputScale === 1 ? name : graph.add("Mul", [name, graph.float(inputScale)]);
  return { ports: [{ name, type: sequence ? "int64" : "float", shape: [inputWidth] }], value };
}

function inputsOfColumn(graph: OnnxGraph, column: Column): string[] {
  const { name } = column;
  if ("categories" in column) {
    const places = graph.integers(column.categories.map((_, place) => place));
    return [graph.add("Cast", [graph.add("Equal", [name, places])], { to: FLOAT })];
  }
  const missing = graph.add("IsNaN", [name]);
  const centred = graph.add("Sub", [name, graph.float(column.mean)]);
  const scaled = graph.add("Div", [centred, graph.float(column.deviation)]);
  const value = graph.add("Where", [missing, graph.float(0), scaled]);
  return column.marksMissing ? [value, graph.add("Cast", [missing], { to: FLOAT })] : [value];
}
