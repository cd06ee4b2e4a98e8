import { describe, expect, it } from "vitest";
import { SentLog } from "../../../services/layer/sent-log.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import type { LinkDtype, Tensor } from "../../../shared/wire/frames.ts";
import { TensorWriter } from "../../../shared/wire/tensor.ts";

const ROWS = 2;
const WIDTHS = { output: 2, answer: 3 };
const KEPT = 3;
const bytes = (columns: number): Tensor => ({
  dtype: "u8",
  shape: [ROWS, columns],
  data: Uint8Array.from({ length: ROWS * columns }, (_, index) => index),
});
const shown = { labels: bytes(1), input: { ...bytes(4), scale: 1 / 255 } };

describe.each<LinkDtype>(["f32", "f16", "bf16", "i8"])("what was sent as %s", (dtype) => {
  const kernels = plainKernels();
  const tensorOf = (columns: number, first: number) => {
    const values = Float32Array.from({ length: ROWS * columns }, (_, index) => first + index / 7);
    return new TensorWriter(kernels, dtype, ROWS, columns).write(values, ROWS);
  };
  const outputOf = (batch: number) => tensorOf(WIDTHS.output, batch);
  const answerOf = (batch: number) => tensorOf(WIDTHS.answer, -batch);
  const logOf = (batches: number) => {
    const log = new SentLog(KEPT - 1);
    for (let batch = 0; batch < batches; batch++) {
      log.keep(batch, ROWS, { output: outputOf(batch), answer: answerOf(batch), shown });
    }
    return log;
  };

  it("is sent again as it was, as long as it is kept", () => {
    const log = logOf(10);
    for (const batch of [7, 8, 9])
      expect(log.again(batch)).toMatchObject({
        rows: ROWS,
        output: outputOf(batch),
        answer: answerOf(batch),
      });
    expect(log.again(6)).toBeUndefined();
  });

  it("is the same, to the bit, after a checkpoint", () => {
    const other = new SentLog(KEPT - 1);
    other.restore(logOf(10).framesSince(8));
    for (const batch of [8, 9])
      expect(other.again(batch)).toMatchObject({
        rows: ROWS,
        output: outputOf(batch),
        answer: answerOf(batch),
        shown,
      });
    expect(other.rowsOf(9)).toBe(ROWS);
    expect(other.again(7)).toBeUndefined();
  });

  it("lays itself into the memory of what it takes the place of", () => {
    const log = logOf(KEPT);
    const arraysOf = (batch: number) => [log.again(batch)!.output!.data, log.again(batch)!.answer!.data];
    const first = [0, 1, 2].map(arraysOf);
    for (let batch = KEPT; batch < 4 * KEPT; batch++) {
      log.keep(batch, ROWS, { output: outputOf(batch), answer: answerOf(batch) });
      const [output, answer] = arraysOf(batch);
      expect(output).toBe(first[batch % KEPT]![0]);
      expect(answer).toBe(first[batch % KEPT]![1]);
    }
  });
});
