import { describe, expect, it } from "vitest";
import { CopyTask } from "../../bench/copy/copy-task.ts";

/** What each row was shown (a symbol, the end sign, or nothing) and asked for, a step each. */
function walk(task: CopyTask, steps: number, rows: number) {
  const [input, labels] = [task.inputWidth, task.labelWidth].map((width) =>
    new Float32Array(steps * rows * width).fill(7),
  ) as [Float32Array, Float32Array];
  task.next(steps, input, labels);
  const hot = (values: Float32Array, width: number, block: number) =>
    [...values.subarray(block * width, (block + 1) * width)].flatMap((x, i) => (x === 1 ? [i] : []));
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: steps }, (_, step) => ({
      shown: hot(input, task.inputWidth, step * rows + row),
      asked: hot(labels, task.labelWidth, step * rows + row),
    })),
  );
}

describe("the copy task", () => {
  it("shows a sequence, the end sign, and asks for the sequence while it shows nothing", () => {
    const task = new CopyTask({ symbols: 4, rows: 3, seed: 1 });
    task.length = 5;
    for (const stream of walk(task, 22, 3)) {
      for (const sequence of [stream.slice(0, 11), stream.slice(11)]) {
        const symbols = sequence.slice(0, 5).map(({ shown }) => shown);
        expect(symbols.every(([symbol, ...more]) => symbol! < 4 && more.length === 0)).toBe(true);
        expect(sequence[5]!.shown).toEqual([4]);
        expect(sequence.slice(6).map(({ asked }) => asked)).toEqual(symbols);
        expect(sequence.slice(0, 6).flatMap(({ asked }) => asked)).toEqual([]);
        expect(sequence.slice(6).flatMap(({ shown }) => shown)).toEqual([]);
      }
    }
  });

  it("draws rows apart, and the same from the same seed, however it is cut into windows", () => {
    const stream = (seed: number, windows: readonly number[]) => {
      const task = new CopyTask({ symbols: 4, rows: 2, seed });
      task.length = 20;
      const cut = windows.map((steps) => walk(task, steps, 2));
      return [0, 1].map((row) => cut.flatMap((rows) => rows[row]!));
    };
    expect(stream(1, [30])).toEqual(stream(1, [7, 3, 20]));
    expect(stream(1, [30])).not.toEqual(stream(2, [30]));
    const [one, other] = stream(1, [30]);
    expect(one).not.toEqual(other);
  });

  it("lets a sequence that has begun end before the length changes", () => {
    const task = new CopyTask({ symbols: 2, rows: 1, seed: 1 });
    walk(task, 1, 1);
    task.length = 2;
    const [stream] = walk(task, 7, 1);
    expect(stream!.map(({ shown, asked }) => [shown.length, asked.length])).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 1],
    ]);
  });
});
