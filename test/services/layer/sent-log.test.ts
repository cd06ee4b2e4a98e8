import { expect, it } from "vitest";
import { SentLog } from "../../../services/layer/sent-log.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";

const WIDTH = 2;
const KEPT = 3;

it("a log that is full lays what comes into the memory of what it takes the place of", () => {
  const log = new SentLog(plainKernels(), KEPT - 1, 1, { output: WIDTH, answer: WIDTH });
  const arraysOf = (batch: number) => Object.values(log.stateSince(batch).tensors);
  const keep = (batch: number) => {
    log.keep(batch, 1, "output", Float32Array.of(batch, 1));
    log.keep(batch, 1, "answer", Float32Array.of(batch, 2));
    return arraysOf(batch);
  };
  const first = Array.from({ length: KEPT }, (_, batch) => keep(batch));
  for (let batch = KEPT; batch < 4 * KEPT; batch++) {
    const [output, answer] = keep(batch);
    expect(output).toBe(first[batch % KEPT]![0]);
    expect(answer).toBe(first[batch % KEPT]![1]);
    expect([[...output!], [...answer!]]).toEqual([
      [batch, 1],
      [batch, 2],
    ]);
  }
});
