import { describe, expect, it } from "vitest";
import { type Boundary, WindowedNetwork, type WindowedOptions } from "../../bench/copy/windowed-network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { seededRandom } from "../../shared/math/random.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";

const [symbols, rows, steps] = [2, 16, 2];

function network(boundary: Boundary, change: Partial<WindowedOptions> = {}, kernels = plainKernels()) {
  return new WindowedNetwork(kernels, {
    inputs: symbols + 1,
    units: 6,
    outputs: symbols,
    steps,
    rows,
    seed: 1,
    boundary,
    rate: 0.01,
    generator: { rate: 0.01, hidden: [], scale: 1 },
    ...change,
  });
}

/** A symbol at step 0, asked for `gap` steps later, all rows together; windows begin at a symbol. */
function delayed(seed: number, gap: number, count: number, kernels = plainKernels()) {
  const random = seededRandom(seed);
  const shown = Array.from({ length: Math.ceil((count * steps) / (gap + 1)) }, () =>
    Array.from({ length: rows }, () => (random() < 0.5 ? 0 : 1)),
  );
  return Array.from({ length: count }, (_, window) => {
    const input = kernels.allocate(steps * rows * (symbols + 1));
    const labels = kernels.allocate(steps * rows * symbols);
    for (let step = 0; step < steps; step++) {
      const time = window * steps + step;
      const [which, at] = [Math.floor(time / (gap + 1)), time % (gap + 1)];
      for (let row = 0; row < rows; row++) {
        const symbol = shown[which]![row]!;
        if (at === 0) input[(step * rows + row) * (symbols + 1) + symbol] = 1;
        if (at === gap) labels[(step * rows + row) * symbols + symbol] = 1;
      }
    }
    return { input, labels };
  });
}

describe("a recurrent network with a generator at the end of its windows", () => {
  it.each([plainKernels(), wasmKernels()])(
    "is truncated backpropagation to the bit when the generator never learns ($name)",
    (kernels) => {
      const [truncated, frozen, synthetic] = (["truncated", "frozen", "synthetic"] as const).map((boundary) =>
        network(boundary, {}, kernels),
      );
      for (const window of delayed(1, 3, 60, kernels))
        for (const each of [truncated!, frozen!, synthetic!]) each.learn(window);
      for (const [name, tensor] of Object.entries(truncated!.tensors())) {
        expect(frozen!.tensors()[name], name).toEqual(tensor);
        expect(synthetic!.tensors()[name], name).not.toEqual(tensor);
      }
    },
  );

  it("is truncated backpropagation as well when nothing comes of its guesses, though the generator learns", () => {
    const silent = network("synthetic", { generator: { rate: 0.01, hidden: [], scale: 0 } });
    const truncated = network("truncated");
    for (const window of delayed(1, 3, 60)) for (const each of [silent, truncated]) each.learn(window);
    expect(silent.tensors()["lstm.gates"]).toEqual(truncated.tensors()["lstm.gates"]);
    expect(silent.tensors()["generator.weight"]!.some((value) => value !== 0)).toBe(true);
  });

  it("has no target for the state before the first window, and judges only what is asked", () => {
    const learner = network("synthetic");
    const [first, second] = delayed(1, 3, 2);
    const drawn = learner.tensors()["readout.weight"]!.slice();
    expect(learner.learn(first!)).toEqual({ loss: 0, asked: 0, health: undefined });
    expect(learner.tensors()["readout.weight"]).toEqual(drawn);
    const { loss, asked, health } = learner.learn(second!);
    expect(asked).toBe(rows);
    expect(loss).toBeGreaterThan(0);
    expect(health!.squaredTarget).toBeGreaterThan(0);
  });

  it("learns across the end of a window what truncated backpropagation is blind to", () => {
    // So few units that a state left to chance remembers little of the symbol.
    const bitsOf = (boundary: Boundary) =>
      [1, 2, 3].map((seed) => {
        const generator = { rate: 0.01, hidden: [], scale: 0.9 };
        const learner = network(boundary, { units: 4, seed, generator });
        const late = delayed(seed, 3, 6000)
          .map((window) => learner.learn(window))
          .slice(-500);
        const total = (figure: "loss" | "asked") => late.reduce((sum, answer) => sum + answer[figure], 0);
        return total("loss") / total("asked") / Math.LN2;
      });
    const [truncated, synthetic] = [bitsOf("truncated"), bitsOf("synthetic")];
    expect(Math.max(...synthetic)).toBeLessThan(Math.min(...truncated) / 2);
  });
});
