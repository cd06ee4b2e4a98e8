import { type Batch, dataSetKind, type Random, randomStream, uniform, wholeFrom } from "unlocked";

const HELD_OUT = 1000;

/** Points of a square that is black and white like a chess board. */
export default dataSetKind({
  about: "Points on a chess board: 2 inputs, 2 classes; endless.",
  fields: { squares: wholeFrom(2, 8).default(3).describe("In a row, and in a column.") },
  facts: () => ({
    ...{ inputWidth: 2, labelWidth: 2, inputType: "f32", judged: "class", trainingExamples: undefined },
  }),
  open: ({ squares }) => ({
    inputScale: 1,
    batch: (seed, number, rows) => points(randomStream(1, seed, number), rows, squares),
    evaluationParts: (rows) => Math.ceil(HELD_OUT / rows),
    evaluationPart: (part, rows) =>
      points(randomStream(2, part), Math.min(rows, HELD_OUT - part * rows), squares),
  }),
});

function points(random: Random, rows: number, squares: number): Batch {
  const input = Float32Array.from({ length: 2 * rows }, () => 2 * uniform(random) - 1);
  const labels = new Uint8Array(rows);
  const square = (at: number) => Math.floor(((input[at]! + 1) / 2) * squares);
  for (let row = 0; row < rows; row++) labels[row] = (square(2 * row) + square(2 * row + 1)) % 2;
  return { rows, input, labels };
}
