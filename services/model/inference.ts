import type { DataFacts } from "../../shared/config/data-facts.ts";
import { EncodeError, valuesOf } from "../../shared/data/encode.ts";
import { inputOf } from "./inputs.ts";
import type { Model } from "./model.ts";

/** Version 2 of the Open Inference Protocol: what its bodies look like, and what of them is wrong. */

/** A request that cannot be answered, and why. */
export class BadRequest extends Error {
  override readonly name = "BadRequest";
}

/** Rows as layer 1 takes them, and what is to be said of the request in the answer. */
export interface Asked {
  readonly inputs: readonly Float32Array[];
  readonly id?: string;
}

interface InferTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly unknown[];
}

const NUMBERS = ["FP32", "FP64", "UINT8", "INT8", "INT16", "INT32", "INT64", "BOOL"];

/** `name`: of the model, and `outputs` floats an example come out. */
export function metadataOf({ run, facts, saved, config }: Model): object {
  const { outputs } = config.layers.at(-1)!;
  const table = facts.columns?.map((column) => {
    return { name: column.name, datatype: "categories" in column ? "BYTES" : "FP32", shape: [-1, 1] };
  });
  const datatype = facts.inputType === "u8" ? "UINT8" : "FP32";
  return {
    ...{ name: run, versions: [String(saved.batch)], platform: "unlocked" },
    inputs: table ?? [{ name: "input", datatype, shape: [-1, facts.inputWidth] }],
    outputs: [{ name: outputName(facts), datatype: "FP32", shape: [-1, outputs] }],
  };
}

function outputName({ judged }: DataFacts): string {
  return judged === "values" ? "values" : "probabilities";
}

/** Throws a BadRequest that names the place. */
export function readInfer(body: unknown, facts: DataFacts, mostRows: number): Asked {
  if (!isObject(body) || !Array.isArray(body.inputs)) throw new BadRequest("expected an object with inputs");
  const { id, outputs = [] } = body;
  if (id !== undefined && typeof id !== "string") throw new BadRequest("id is no string");
  if (!Array.isArray(outputs)) throw new BadRequest("outputs is no array");
  const known = outputName(facts);
  const stranger = outputs.find((output: unknown) => !isObject(output) || output.name !== known);
  if (stranger !== undefined)
    throw new BadRequest(`outputs has ${shown(stranger)}, this model gives ${known}`);
  const tensors = body.inputs.map(readTensor);
  const rows = facts.columns
    ? rowsOfTable(tensors, facts.columns, mostRows)
    : rowsOfTensor(tensors, facts.inputWidth, mostRows);
  return { inputs: encoded(rows, facts), ...(id !== undefined && { id }) };
}

/** Of the simple route: {"rows": [row, …]}, or one row by itself. Throws a BadRequest that names the row. */
export function readRows(body: unknown, facts: DataFacts, mostRows: number): Asked {
  const rows = isObject(body) && Array.isArray(body.rows) ? body.rows : [body];
  requireRowCount(rows.length, mostRows);
  return { inputs: encoded(rows, facts) };
}

/** `outputs`: rows × width, as `Evaluation.answers` gives them. */
export function inferAnswer(model: Model, { id, inputs }: Asked, outputs: Float32Array): object {
  const { run, saved, facts, config } = model;
  const width = config.layers.at(-1)!.outputs;
  const shape = [inputs.length, width];
  const rows = inputs.map((_, row) => outputs.subarray(row * width, (row + 1) * width));
  const data = facts.judged === "values" ? rows.flatMap((row) => valuesOf(facts, row)) : [...outputs];
  return {
    ...{ model_name: run, model_version: String(saved.batch) },
    ...(id !== undefined && { id }),
    outputs: [{ name: outputName(facts), datatype: "FP32", shape, data }],
  };
}

function encoded(rows: readonly unknown[], facts: DataFacts): Float32Array[] {
  return rows.map((row, index) => {
    try {
      return inputOf(facts, row);
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      throw new BadRequest(`row ${index}: ${error.message}`);
    }
  });
}

function readTensor(tensor: unknown, index: number): InferTensor {
  const place = `inputs[${index}]`;
  if (!isObject(tensor)) throw new BadRequest(`${place} is no object`);
  const { name, shape, datatype, data } = tensor;
  if (typeof name !== "string") throw new BadRequest(`${place} has no name`);
  if (typeof datatype !== "string" || ![...NUMBERS, "BYTES"].includes(datatype))
    throw new BadRequest(`${place} has datatype ${shown(datatype)}, expected ${NUMBERS.join(", ")} or BYTES`);
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new BadRequest(`${place} has shape ${shown(shape)}`);
  if (!Array.isArray(data)) throw new BadRequest(`${place} has no data; binary data is not taken`);
  const flat: unknown[] = data.some(Array.isArray) ? data.flat(4) : data;
  const length = shape.reduce((product: number, size: number) => product * size, 1);
  if (flat.length !== length)
    throw new BadRequest(`${place} of shape ${shown(shape)} takes ${length} values, got ${flat.length}`);
  return { name, shape: shape as number[], datatype, data: flat };
}

function rowsOfTensor(tensors: readonly InferTensor[], width: number, mostRows: number): unknown[][] {
  const [tensor, ...others] = tensors;
  if (!tensor || others.length > 0 || tensor.name !== "input")
    throw new BadRequest(
      `expected one input, called input, got ${tensors.map(({ name }) => name).join(", ") || "none"}`,
    );
  const { shape, data } = tensor;
  const rows = shape[0] ?? 0;
  requireRowCount(rows, mostRows);
  if (data.length !== rows * width)
    throw new BadRequest(`input has shape ${shown(shape)}, this model takes [-1,${width}]`);
  return Array.from({ length: rows }, (_, row) => data.slice(row * width, (row + 1) * width));
}

function rowsOfTable(
  tensors: readonly InferTensor[],
  columns: NonNullable<DataFacts["columns"]>,
  mostRows: number,
): Record<string, unknown>[] {
  const rows = tensors[0]?.shape[0] ?? 0;
  requireRowCount(rows, mostRows);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor.data]));
  for (const { name } of columns) {
    const found = byName.get(name)?.length;
    if (found !== rows)
      throw new BadRequest(`input ${name} has ${found ?? "no"} values, the first input has ${rows} rows`);
  }
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map(({ name }) => [name, byName.get(name)![row]])),
  );
}

function requireRowCount(rows: number, most: number): void {
  if (rows < 1) throw new BadRequest("there is no row");
  if (rows > most) throw new BadRequest(`there are ${rows} rows, at most ${most}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? "nothing";
}
