import { describe, expect, it } from "vitest";
import { adam, optimizerOf, sgd } from "../../shared/math/optimizer.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { normal, seededRandom } from "../../shared/math/random.ts";
import { distance, range } from "./double-oracle.ts";

const kernels = plainKernels();
const random = seededRandom(4);
const gradients = range(30).map(() => Float32Array.from(range(5), () => normal(random)));
const start = Float32Array.from(range(5), () => normal(random));

describe("adam", () => {
  it("follows the paper's algorithm for thirty steps", () => {
    const parameters = start.slice();
    const state = adam.init(kernels, 5);
    for (const [i, gradient] of gradients.entries()) {
      adam.update(kernels, parameters, gradient, state, { rate: 0.01, scale: 0.5, step: i + 1 });
    }
    expect(distance(parameters, Array.from(start, adamInDouble))).toBeLessThan(1e-6);
  });

  function adamInDouble(parameter: number, unit: number): number {
    let [theta, m, v] = [parameter, 0, 0];
    for (const [i, gradient] of gradients.entries()) {
      const g = gradient[unit]! / 2;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g ** 2;
      theta -= (0.01 * (m / (1 - 0.9 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (i + 1))) + 1e-8);
    }
    return theta;
  }

  it("leaves parameters alone that never had a gradient", () => {
    const parameters = start.slice();
    adam.update(kernels, parameters, new Float32Array(5), adam.init(kernels, 5), {
      rate: 1,
      scale: 1,
      step: 1,
    });
    expect(parameters).toEqual(start);
  });
});

describe("nadam", () => {
  it.each([0.9, 0.99])("looks ahead by a step of its momentum, with beta1 %f", (beta1) => {
    const parameters = start.slice();
    const optimizer = optimizerOf({ optimizer: "nadam", momentum: 0, beta1, beta2: 0.99 });
    const state = optimizer.init(kernels, 5);
    for (const [i, gradient] of gradients.entries())
      optimizer.update(kernels, parameters, gradient, state, { rate: 0.01, scale: 0.5, step: i + 1 });
    const expected = Array.from(start, (parameter, unit) => {
      let [theta, m, v] = [parameter, 0, 0];
      for (const [i, each] of gradients.entries()) {
        const g = each[unit]! / 2;
        m = beta1 * m + (1 - beta1) * g;
        v = 0.99 * v + 0.01 * g ** 2;
        const ahead = (beta1 * m) / (1 - beta1 ** (i + 2)) + ((1 - beta1) * g) / (1 - beta1 ** (i + 1));
        theta -= (0.01 * ahead) / (Math.sqrt(v / (1 - 0.99 ** (i + 1))) + 1e-8);
      }
      return theta;
    });
    expect(distance(parameters, expected)).toBeLessThan(1e-6);
  });
});

describe("sgd", () => {
  it.each([0, 0.9])("follows its velocity, with momentum %f", (momentum) => {
    const parameters = start.slice();
    const optimizer = sgd(momentum);
    const state = optimizer.init(kernels, 5);
    for (const [i, gradient] of gradients.entries()) {
      optimizer.update(kernels, parameters, gradient, state, { rate: 0.1, scale: 0.25, step: i + 1 });
    }
    const expected = Array.from(start, (parameter, unit) => {
      let [theta, velocity] = [parameter, 0];
      for (const gradient of gradients) {
        velocity = momentum * velocity + gradient[unit]! / 4;
        theta -= 0.1 * velocity;
      }
      return theta;
    });
    expect(distance(parameters, expected)).toBeLessThan(1e-5);
  });
});

describe("optimizerOf", () => {
  it("chooses by name, and hands the momentum on", () => {
    expect(optimizerOf({ optimizer: "adam", momentum: 0 })).toBe(adam);
    const parameters = Float32Array.of(0);
    const optimizer = optimizerOf({ optimizer: "sgd", momentum: 0.5 });
    const state = optimizer.init(kernels, 1);
    for (const step of [1, 2]) {
      optimizer.update(kernels, parameters, Float32Array.of(1), state, { rate: 1, scale: 1, step });
    }
    expect(parameters[0]).toBe(-2.5);
  });

  it("keeps everything it remembers in the state: a copy of the state continues bit for bit", () => {
    for (const optimizer of [adam, sgd(0.9)]) {
      const [a, b] = [start.slice(), start.slice()];
      const state = optimizer.init(kernels, 5);
      const step = (parameters: Float32Array, from: typeof state, number: number) =>
        optimizer.update(kernels, parameters, gradients[number]!, from, {
          rate: 0.1,
          scale: 1,
          step: number,
        });
      step(a, state, 1);
      b.set(a);
      const copy = Object.fromEntries(Object.entries(state).map(([name, tensor]) => [name, tensor.slice()]));
      step(a, state, 2);
      step(b, copy, 2);
      expect(b).toEqual(a);
    }
  });
});
