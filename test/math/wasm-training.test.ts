import { describe, expect, it } from "vitest";
import { range } from "./double-oracle.ts";
import { bitsOf, expectAgreement, guarded } from "./side-by-side.ts";
import { drawn, lengths, shapes, sides, whole } from "./wasm-sides.ts";

describe("losses", () => {
  const losses = ["softmax-cross-entropy", "sigmoid-cross-entropy", "mean-squared-error"] as const;

  it.each(losses)("%s and its gradient agree with the plain ones", (loss) => {
    for (const { rows, columns } of [...shapes, { rows: 203, columns: 10 }, { rows: 0, columns: 4 }]) {
      const labels = new Float32Array(rows * columns);
      for (const row of range(rows)) labels[row * columns + whole(columns)] = 1;
      const logits = drawn(rows * columns).map((x) => x * 6);
      expectAgreement(
        sides,
        [logits, labels, drawn(rows * columns)],
        (kernels, [x, y, gradient]) => kernels.lossAndGradient(loss, x!, y!, gradient!, rows, columns),
        { floor: 1 },
      );
    }
  });

  it.each(losses)("%s may write its gradient over the logits", (loss) => {
    const [logits, labels] = [drawn(5 * 7), drawn(5 * 7).map(Math.abs)];
    const [apart, over] = [guarded(sides.subject, logits), guarded(sides.subject, logits)];
    const y = guarded(sides.subject, labels);
    const gradient = sides.subject.allocate(5 * 7);
    const value = sides.subject.lossAndGradient(loss, apart, y, gradient, 5, 7);
    expect(sides.subject.lossAndGradient(loss, over, y, over, 5, 7)).toBe(value);
    expect(bitsOf(over)).toEqual(bitsOf(gradient));
  });

  it("of sure logits neither overflows nor loses the loss", () => {
    const logits = guarded(sides.subject, Float32Array.of(500, -500, 0, 0, 300, 0));
    const labels = guarded(sides.subject, Float32Array.of(0, 1, 0, 0, 1, 0));
    const gradient = guarded(sides.subject, new Float32Array(6));
    const loss = (name: (typeof losses)[number]) =>
      sides.subject.lossAndGradient(name, logits, labels, gradient, 2, 3);
    expect(loss("softmax-cross-entropy")).toBeCloseTo(1000, 3);
    expect(Array.from(gradient)).toEqual([1, -1, expect.closeTo(0), expect.closeTo(0), 0, expect.closeTo(0)]);
    expect(loss("sigmoid-cross-entropy")).toBeCloseTo(1000 + 3 * Math.LN2, 3);
  });

  it.each(losses)("%s of a NaN is NaN", (loss) => {
    for (const position of range(5)) {
      const [logits, labels, gradient] = [drawn(5), new Float32Array(5).fill(0.2), drawn(5)].map((values) =>
        guarded(sides.subject, values),
      );
      logits![position] = Number.NaN;
      expect(sides.subject.lossAndGradient(loss, logits!, labels!, gradient!, 1, 5)).toBeNaN();
      expect(gradient![position]).toBeNaN();
    }
  });
});

describe("optimizers", () => {
  it("Adam takes the plain one's steps", () => {
    for (const length of lengths) {
      const options = { rate: 0.01, scale: 1 / 64, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
      const arrays = [drawn(length), drawn(length), new Float32Array(length), new Float32Array(length)];
      expectAgreement(
        sides,
        arrays,
        (kernels, [parameters, gradient, first, second]) => {
          for (const step of [1, 2, 3]) {
            kernels.adam(parameters!, gradient!, first!, second!, length, { ...options, step });
          }
          return undefined;
        },
        { floor: 1e-4 },
      );
    }
  });

  it("SGD takes the plain one's steps", () => {
    for (const length of lengths) {
      expectAgreement(
        sides,
        [drawn(length), drawn(length), new Float32Array(length)],
        (kernels, [parameters, gradient, velocity]) => {
          for (const scale of [1, 0.5, 0.25]) {
            kernels.sgd(parameters!, gradient!, velocity!, length, { rate: 0.1, scale, momentum: 0.9 });
          }
          return undefined;
        },
        { floor: 1e-1 },
      );
    }
  });
});
