import { describe, expect, it } from "vitest";
import { InputGenerator, type InputGuessOptions } from "../../shared/dni/input-generator.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { adam, drawn, learningOf } from "./network.ts";

const rows = 8;
const options: InputGuessOptions = {
  layer: 2,
  inputs: 3,
  networkInputs: 4,
  maxRows: rows,
  seed: 1,
  batches: 1000,
  learning: learningOf({ layer: adam(1, { kind: "cosine" }) }),
  generator: { rate: 0.05, hidden: [12] },
};

function generator(change: Partial<InputGuessOptions> = {}) {
  return new InputGenerator(plainKernels(), { ...options, ...change });
}

function example(seed: number) {
  const networkInput = drawn(rows * 4, seed);
  return { rows, input: networkInput, labels: new Float32Array(rows * 2), networkInput };
}

/** What a rectified layer of 3 would have given: of each row max(0, x₀ − x₁), |x₂| and |x₃|. */
function activation({ networkInput }: ReturnType<typeof example>): Float32Array {
  return Float32Array.from(
    range(rows).flatMap((row) => {
      const [a, b, c, d] = networkInput.subarray(row * 4);
      return [Math.max(0, a! - b!), Math.abs(c!), Math.abs(d!)];
    }),
  );
}

function learnt(inputs: InputGenerator, batches: number) {
  const healths = range(batches).map((batch) => {
    const shown = example(batch);
    return inputs.learn(shown, activation(shown), batch);
  });
  const late = healths.slice(-50);
  const total = (figure: "squaredError" | "squaredTarget") =>
    late.reduce((sum, each) => sum + each[figure], 0);
  return total("squaredError") / total("squaredTarget");
}

describe("an input generator", () => {
  it("guesses zeros before it has learnt, and then what the layer before will say", () => {
    const inputs = generator();
    expect([...inputs.guess(example(1))]).toEqual(Array(rows * 3).fill(0));
    expect(learnt(inputs, 1000)).toBeLessThan(0.2);
  });

  it("guesses nothing near it without hidden layers, from what is not linear in the network's input", () => {
    expect(learnt(generator({ generator: { rate: 0.05, hidden: [] } }), 1000)).toBeGreaterThan(0.2);
  });

  it("follows the schedule of the layers, at its own rate", () => {
    const inputs = generator();
    learnt(inputs, 10);
    const before = inputs.guess(example(1)).slice();
    const late = example(2);
    inputs.learn(late, activation(late), options.batches);
    expect(inputs.guess(example(1))).toEqual(before);
    inputs.learn(late, activation(late), options.batches / 2);
    expect(inputs.guess(example(1))).not.toEqual(before);
  });

  it("looks at the network's input and at nothing else", () => {
    const inputs = generator();
    learnt(inputs, 10);
    const shown = example(1);
    const before = inputs.guess(shown).slice();
    expect(inputs.guess({ ...shown, input: drawn(rows * 3, 9), labels: drawn(rows * 2, 8) })).toEqual(before);
    expect(() => inputs.guess({ rows, input: shown.input, labels: shown.labels })).toThrow(
      "Cannot guess an input: the example has no network input",
    );
  });
});
