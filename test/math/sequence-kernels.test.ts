import { describe, expect, it } from "vitest";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { seededRandom } from "../../shared/math/random.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { range } from "./double-oracle.ts";
import { sequenceCases } from "./native/sequence-cases.ts";
import { drawer } from "./products.ts";
import { expectAgreement, guarded, largestError } from "./side-by-side.ts";

const sides = { subject: wasmKernels(), oracle: plainKernels() };
const { drawn } = drawer(seededRandom(7));
/** Every remainder of sixteen, and more than one sixteen. */
const shapes = range(36).map((i) => ({ rows: 1 + (i % 5), columns: 1 + i }));

describe("what transformers need", () => {
  it.each(sequenceCases(drawn, 1, 1).map(({ name }, number) => ({ name, number })))(
    "agrees with the plain one in any shape: $name",
    ({ number }) => {
      for (const { rows, columns } of [...shapes, { rows: 70, columns: 200 }]) {
        const { floats, run } = sequenceCases(drawn, rows, columns)[number]!;
        // Normalised, a row of one float is rounding noise over √ε.
        const tolerance = columns === 1 ? 1e-2 : 2e-5;
        expectAgreement(
          sides,
          floats,
          (kernels, arrays) => run(kernels, arrays, new Uint8Array()) as undefined,
          { floor: 1, tolerance },
        );
      }
    },
  );

  it("gelu is right to 3e-7 of x between −40 and 40, and so is its slope", () => {
    const { subject, oracle } = sides;
    const input = subject.allocate(40_001);
    for (let i = 0; i < input.length; i++) input[i] = ((i - 20_000) / 20_000) ** 3 * 40;
    const one = subject.allocate(input.length).fill(1);
    const [output, slope] = [subject.allocate(input.length), subject.allocate(input.length)];
    subject.gelu(input, output, input.length);
    subject.geluBackward(input, one, slope, input.length);
    const [exact, exactSlope] = [new Float32Array(input.length), new Float32Array(input.length)];
    oracle.gelu(input, exact, input.length);
    oracle.geluBackward(input, one, exactSlope, input.length);
    expect(
      largestError(
        output,
        exact,
        Float32Array.from(input, (x) => Math.abs(x) + 1e-30),
      ),
    ).toBeLessThan(3e-7);
    expect(largestError(slope, exactSlope, 1)).toBeLessThan(1e-6);
  });

  it("gelu stays finite at the ends of what floats hold, and hides no NaN", () => {
    const { subject } = sides;
    const ends = guarded(subject, Float32Array.of(3e38, -3e38, 1e20, -1e20, Number.NaN));
    const [output, slope] = [guarded(subject, ends), guarded(subject, Float32Array.of(1, 1, 1, 1, 1))];
    subject.gelu(ends, output, 5);
    subject.geluBackward(ends, slope, slope, 5);
    expect(Array.from(output)).toEqual([ends[0], expect.closeTo(0), ends[2], expect.closeTo(0), Number.NaN]);
    expect(Array.from(slope)).toEqual([1, expect.closeTo(0), 1, expect.closeTo(0), Number.NaN]);
  });

  it("a softmax neither overflows nor looks ahead, and shows a NaN in every row that sees it", () => {
    const { subject } = sides;
    const scores = guarded(subject, Float32Array.of(9, 9e9, 9e9, 1e30, -1e30, Number.NaN, 3, 3, Number.NaN));
    subject.causalSoftmax(scores, 3, 1);
    expect(Array.from(scores)).toEqual([
      1,
      0,
      0,
      1,
      expect.closeTo(0),
      0,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it("pieces swapped twice are where they were", () => {
    const { subject } = sides;
    const shape = { matrices: 3, rows: 4, columns: 5, length: 7 };
    const from = guarded(subject, drawn(420));
    const [there, back] = [guarded(subject, new Float32Array(420)), guarded(subject, new Float32Array(420))];
    subject.swapPieces(from, there, shape);
    subject.swapPieces(there, back, { ...shape, rows: 5, columns: 4 });
    expect(Array.from(back)).toEqual(Array.from(from));
    expect(Array.from(there)).not.toEqual(Array.from(from));
  });
});
