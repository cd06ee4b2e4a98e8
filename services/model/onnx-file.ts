import protobuf from "protobufjs/light.js";
import type { OnnxAttribute, OnnxConstant, OnnxGraph, OnnxNode } from "../../shared/layers/onnx-graph.ts";

/** What goes in, or comes out: examples × shape. */
export interface OnnxPort {
  readonly name: string;
  readonly type: "float" | "int64";
  readonly shape: readonly number[];
}

interface Around {
  readonly name: string;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** IR 8 came with opset 17, which is the first with LayerNormalization. */
const IR_VERSION = 8;
const OPSET = 17;
const ELEMENT_TYPES = { float: 1, int64: 7 } as const;
const ATTRIBUTE_TYPES = { float: 1, int: 2, ints: 7 } as const;

type FieldText = `${"" | "repeated "}${string} ${number}`;

/** Of onnx.proto, the fields that are written here. */
const messages: Readonly<Record<string, Readonly<Record<string, FieldText>>>> = {
  Model: {
    ir_version: "int64 1",
    producer_name: "string 2",
    graph: "Graph 7",
    opset_import: "repeated Opset 8",
    metadata_props: "repeated Entry 14",
  },
  Opset: { domain: "string 1", version: "int64 2" },
  Entry: { key: "string 1", value: "string 2" },
  Graph: {
    node: "repeated Node 1",
    name: "string 2",
    initializer: "repeated Tensor 5",
    input: "repeated Value 11",
    output: "repeated Value 12",
  },
  Node: {
    input: "repeated string 1",
    output: "repeated string 2",
    name: "string 3",
    op_type: "string 4",
    attribute: "repeated Attribute 5",
  },
  Attribute: { name: "string 1", f: "float 2", i: "int64 3", ints: "repeated int64 8", type: "int32 20" },
  Tensor: { dims: "repeated int64 1", data_type: "int32 2", name: "string 8", raw_data: "bytes 9" },
  Value: { name: "string 1", type: "Type 2" },
  Type: { tensor_type: "TensorType 1" },
  TensorType: { elem_type: "int32 1", shape: "Shape 2" },
  Shape: { dim: "repeated Dimension 1" },
  Dimension: { dim_value: "int64 1", dim_param: "string 2" },
};

const Model = protobuf.Root.fromJSON({ nested: nestedOf(messages) }).lookupType("Model");

function nestedOf(all: typeof messages): Record<string, protobuf.IType> {
  const types = Object.entries(all).map(([name, fields]) => {
    const described = Object.entries(fields).map(([field, text]) => {
      const [id, type, rule] = text.split(" ").reverse() as [string, string, string | undefined];
      return [field, { id: Number(id), type, ...(rule && { rule }) }];
    });
    return [name, { fields: Object.fromEntries(described) }];
  });
  return Object.fromEntries(types);
}

/** The bytes of an .onnx file. */
export function encodeOnnx(
  { nodes, constants }: OnnxGraph,
  { name, inputs, outputs, metadata }: Around,
): Uint8Array {
  const model = {
    ir_version: IR_VERSION,
    producer_name: "unlocked",
    opset_import: [{ domain: "", version: OPSET }],
    metadata_props: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name,
      node: nodes.map(nodeOf),
      initializer: constants.map(tensorOf),
      input: inputs.map(portOf),
      output: outputs.map(portOf),
    },
  };
  return Model.encode(model).finish();
}

function nodeOf({ operator, inputs, output, attributes }: OnnxNode) {
  const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...attributeOf(value) }));
  return { input: inputs, output: [output], name: output, op_type: operator, attribute };
}

function attributeOf(value: OnnxAttribute) {
  if (typeof value === "number") return { i: value, type: ATTRIBUTE_TYPES.int };
  return "float" in value
    ? { f: value.float, type: ATTRIBUTE_TYPES.float }
    : { ints: value, type: ATTRIBUTE_TYPES.ints };
}

function tensorOf({ name, shape, values }: OnnxConstant) {
  const data_type = values instanceof Float32Array ? ELEMENT_TYPES.float : ELEMENT_TYPES.int64;
  const raw_data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims: shape, data_type, raw_data };
}

function portOf({ name, type, shape }: OnnxPort) {
  const dim = [{ dim_param: "examples" }, ...shape.map((size) => ({ dim_value: size }))];
  return { name, type: { tensor_type: { elem_type: ELEMENT_TYPES[type], shape: { dim } } } };
}
