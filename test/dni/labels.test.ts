import { describe, expect, it } from "vitest";
import { LabelLoss, labelFloats, oneHotView } from "../../shared/dni/labels.ts";
import { loadLibrary } from "../../shared/math/native/library.ts";
import { nativeKernels } from "../../shared/math/native-kernels.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { drawn } from "./network.ts";

const library = loadLibrary(process);
const kernelSets = [plainKernels(), wasmKernels(), nativeKernels(library, library.paths[0]!)];

describe.each(kernelSets)("with $name kernels", (kernels) => {
  // With 9,000 classes one position is judged at a time, with 2,000 eight of 15, with 7 all at once.
  it.each([7, 2000, 9000])(
    "the loss of %i classes has the gradient, to the bit, that one-hot labels have",
    (classes) => {
      const [rows, positions] = [3, 5];
      const options = {
        loss: "softmax-cross-entropy",
        labelWidth: positions * classes,
        labelPositions: positions,
      } as const;
      const room = (length: number) => kernels.allocate(length);
      const [output, gradient, expected] = range(3).map(() => room(rows * positions * classes));
      output!.set(drawn(output!.length, 3));
      const ids = room(rows * positions);
      ids.set(range(ids.length).map((at) => (at * 4001) % classes));
      const hot = room(output!.length);
      for (const [at, id] of ids.entries()) hot[at * classes + id] = 1;
      const all = [rows * positions, classes] as const;
      const whole = kernels.lossAndGradient("softmax-cross-entropy", output!, hot, expected!, ...all);
      const loss = new LabelLoss(kernels, { ...options, maxRows: rows });
      // Nothing of one batch is left in the next.
      for (const _ of range(2)) {
        gradient!.fill(9);
        expect(loss.take(output!, ids, gradient!, rows) / whole).toBeCloseTo(1, 12);
        expect(
          Buffer.from(gradient!.buffer, gradient!.byteOffset, gradient!.byteLength).equals(
            Buffer.from(expected!.buffer, expected!.byteOffset, expected!.byteLength),
          ),
        ).toBe(true);
      }
      expect(oneHotView(kernels, { ...options, maxRows: rows })(ids, rows)).toEqual(hot);
    },
  );
});

it("bits and values are one float for each output, and are taken as they are", () => {
  const kernels = plainKernels();
  for (const loss of ["sigmoid-cross-entropy", "mean-squared-error"] as const) {
    const options = { loss, labelWidth: 6, labelPositions: 1, maxRows: 1 };
    expect(labelFloats(options)).toBe(6);
    const bits = Float32Array.of(1, 0, 0, 1, 1, 0);
    expect(oneHotView(kernels, options)(bits, 1)).toBe(bits);
  }
  expect(labelFloats({ loss: "softmax-cross-entropy", labelWidth: 6, labelPositions: 2 })).toBe(2);
});
