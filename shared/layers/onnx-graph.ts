import type { TensorShape } from "../math/parameter.ts";

/** What an operator is told besides its inputs; a float is told apart from a whole number. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxConstant {
  readonly name: string;
  readonly shape: TensorShape;
  readonly values: Float32Array | BigInt64Array;
}

/** A graph of ONNX operators, opset 17, while it is put together. Names of values are its own affair. */
export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];

  /** The name of the operator's output. */
  add(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    // No name that somebody gives begins so.
    const output = `/${operator}/${this.nodes.length + 1}`;
    this.nodes.push({ operator, inputs, output, attributes });
    return output;
  }

  /** From now on the value is called so. */
  name(input: string, output: string): void {
    this.nodes.push({ operator: "Identity", inputs: [input], output, attributes: {} });
  }

  /** The name of a constant; without a shape it is a vector. */
  floats(values: Float32Array, shape: TensorShape = [values.length]): string {
    return this.#constant(values, shape);
  }

  /** The same, of one number. */
  float(value: number): string {
    return this.#constant(Float32Array.of(value), []);
  }

  integers(values: readonly number[]): string {
    return this.#constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  /** 0 keeps a size, −1 is what is left. */
  reshape(input: string, shape: readonly number[]): string {
    return this.add("Reshape", [input, this.integers(shape)]);
  }

  #constant(values: Float32Array | BigInt64Array, shape: TensorShape): string {
    const name = `/constant/${this.constants.length + 1}`;
    this.constants.push({ name, shape, values });
    return name;
  }
}
