import { describe, expect, it } from "vitest";
import { Lstm } from "../../bench/copy/lstm.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { centralDifferences, distance, range, sum } from "../math/double-oracle.ts";

const [inputs, units, steps, rows] = [3, 4, 3, 2];
const options = {
  inputs,
  units,
  steps,
  rows,
  seed: 1,
  layer: 1,
  optimizer: { optimizer: "sgd", momentum: 0 },
} as const;
const names = ["gates", "gatesBias", "candidate", "candidateBias"] as const;

function drawn(length: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => normal(random));
}

/** From the textbook, in double precision, one number after another. */
function inDouble(tensors: Record<string, number[]>, input: number[], before: number[]) {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const { gates, gatesBias, candidate, candidateBias } = tensors as Record<(typeof names)[number], number[]>;
  const output: number[] = [];
  let state = before;
  for (let step = 0; step < steps; step++) {
    const next = [...state];
    for (const row of range(rows)) {
      const at = (step * rows + row) * inputs;
      const seen = [...input.slice(at, at + inputs), ...state.slice(row * 2 * units, (row * 2 + 1) * units)];
      const affine = (weight: number[], bias: number[], column: number) =>
        sum(seen.map((x, i) => x * weight[i * bias.length + column]!)) + bias[column]!;
      for (const unit of range(units)) {
        const [i, f, o] = range(3).map((gate) => sigmoid(affine(gates, gatesBias, gate * units + unit)));
        const g = Math.tanh(affine(candidate, candidateBias, unit));
        const c = f! * state[(row * 2 + 1) * units + unit]! + i! * g;
        next[(row * 2 + 1) * units + unit] = c;
        next[row * 2 * units + unit] = o! * Math.tanh(c);
      }
      output.push(...next.slice(row * 2 * units, (row * 2 + 1) * units));
    }
    state = next;
  }
  return { output, state };
}

describe.each([plainKernels(), wasmKernels()])("a long short-term memory, computed by $name", (kernels) => {
  const held = (values: Float32Array) => {
    const array = kernels.allocate(values.length);
    array.set(values);
    return array;
  };
  const input = held(drawn(steps * rows * inputs, 2));
  const before = held(drawn(rows * 2 * units, 3));
  const outputGradient = held(drawn(steps * rows * units, 4));
  const stateGradient = held(drawn(rows * 2 * units, 5));
  const lstm = new Lstm(kernels, options);
  for (const [i, name] of names.entries()) {
    const tensor = lstm.tensors()[name]!;
    drawn(tensor.length, 50 + i).forEach((x, at) => {
      tensor[at] = tensor[at]! + 0.3 * x;
    });
  }
  const double = Object.fromEntries(names.map((name) => [name, Array.from(lstm.tensors()[name]!)]));
  const [doubleInput, doubleBefore] = [Array.from(input), Array.from(before)];
  /** A loss whose gradients by outputs and last state are those above. */
  const loss = () => {
    const { output, state } = inDouble(double, doubleInput, doubleBefore);
    const by = (values: number[], gradient: Float32Array) => sum(values.map((x, i) => x * gradient[i]!));
    return by(output, outputGradient) + by(state, stateGradient);
  };

  it("computes what the textbook says, and the state it ends in", () => {
    const { output, state } = inDouble(double, doubleInput, doubleBefore);
    expect(distance(lstm.forward(input, before), output)).toBeLessThan(1e-5);
    expect(distance(lstm.state(), state)).toBeLessThan(1e-5);
  });

  it("finds the gradient of the state it began with by differences", () => {
    lstm.forward(input, before);
    const gradient = lstm.backward(outputGradient, stateGradient);
    expect(distance(gradient, centralDifferences(loss, doubleBefore))).toBeLessThan(1e-4);
  });

  it("descends by the gradient of each parameter, summed over the steps", () => {
    lstm.forward(input, before);
    lstm.backward(outputGradient, stateGradient);
    const expected = names.map((name) => {
      const gradient = centralDifferences(loss, double[name]!);
      return double[name]!.map((value, i) => value - gradient[i]! / rows);
    });
    lstm.descend({ rate: 1, scale: 1 / rows, step: 1 });
    for (const [i, name] of names.entries())
      expect(distance(lstm.tensors()[name]!, expected[i]!), name).toBeLessThan(1e-4);
  });
});

describe("a long short-term memory", () => {
  it("says the same of two short windows as of a long one", () => {
    const kernels = plainKernels();
    const [long, short] = [2, 1].map((length) => new Lstm(kernels, { ...options, steps: length }));
    const [input, state] = [drawn(2 * rows * inputs, 2), drawn(rows * 2 * units, 3)];
    const expected = long!.forward(input, state);
    const half = rows * inputs;
    const first = short!.forward(input.subarray(0, half), state).slice();
    const second = short!.forward(input.subarray(half), short!.state().slice());
    expect([...first, ...second]).toEqual([...expected]);
    expect(short!.state()).toEqual(long!.state());
  });
});
