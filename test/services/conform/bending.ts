import { answerTo } from "../../../services/conform/expect.ts";
import type { Frame } from "../../../services/conform/frame.ts";
import type { BrokenWorker, Fields } from "./broken-worker.ts";

export interface Tensor {
  readonly shape: readonly [number, number];
  readonly data: Buffer;
}

/** Of layer 2 of configs/conform.yaml. */
const ROWS = 50;

export const isGradient = ({ kind, gradient }: Fields): boolean =>
  kind === "gradient" && gradient !== undefined;

/** What becomes of a batch that goes forward once more. */
export function againAs(
  change: (frame: Fields, time: number, proxy: BrokenWorker) => Fields[],
): (frame: Fields, proxy: BrokenWorker) => Fields[] {
  const sent = new Set<unknown>();
  let time = 0;
  return (frame, proxy) => {
    if (frame.kind !== "activation" || frame.evaluation) return [frame];
    if (sent.has(frame.batch)) return change(frame, ++time, proxy);
    sent.add(frame.batch);
    return [frame];
  };
}

export function acknowledge(item: Fields, proxy: BrokenWorker): void {
  proxy.answerWorker(answerTo(item as Frame));
}

export function withAllRows(frame: Fields): Fields {
  const gradient = frame.gradient as Tensor;
  const missing = ROWS - gradient.shape[0];
  if (missing <= 0) return frame;
  const data = Buffer.concat([
    gradient.data,
    Buffer.alloc((gradient.data.length / gradient.shape[0]) * missing),
  ]);
  return { ...frame, gradient: { ...gradient, shape: [ROWS, gradient.shape[1]], data } };
}

/** Another one each time. */
export function bent(frame: Fields, time: number, what: "gradient" | "activation" = "gradient"): Fields {
  const tensor = frame[what] as Tensor;
  const data = Buffer.from(tensor.data);
  data.writeFloatLE(time / 1024, 0);
  return { ...frame, [what]: { ...tensor, data } };
}

export function flipped(labels: Tensor): Tensor {
  const data = Buffer.from(labels.data);
  data[0] = 1 - data[0]!;
  return { ...labels, data };
}

export function infinite(tensor: Tensor): Tensor {
  const data = Buffer.from(tensor.data);
  data.writeFloatLE(Number.POSITIVE_INFINITY, 0);
  return { ...tensor, data };
}

export function zeroed(tensor: Tensor): Tensor {
  return { ...tensor, data: Buffer.alloc(tensor.data.length) };
}
