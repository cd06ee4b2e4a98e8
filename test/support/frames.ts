import {
  type ActivationFrame,
  type ChallengeFrame,
  type CorrectionFrame,
  type HelloFrame,
  PROTOCOL_VERSION,
  type PreviewFrame,
  type Tensor,
  type WelcomeFrame,
} from "../../shared/wire/frames.ts";

/** Valid frames to start from: tests change the one field they are about. */
export const challenge: ChallengeFrame = {
  kind: "challenge",
  protocol: PROTOCOL_VERSION,
  nonce: "c0".repeat(32),
};

export const hello: HelloFrame = {
  kind: "hello",
  protocol: PROTOCOL_VERSION,
  run: "two-rings-7",
  from: 1,
  to: 2,
  incarnation: 3,
  instance: "b5c1",
  configHash: "ab".repeat(32),
  width: 4,
  dtype: "f32",
};

export const welcome: WelcomeFrame = {
  kind: "welcome",
  protocol: PROTOCOL_VERSION,
  run: "two-rings-7",
  from: 2,
  incarnation: 5,
  instance: "9f00",
  configHash: "ab".repeat(32),
  need: 0,
};

/** A float tensor whose values count up in eighths, so that every one is exact. */
export function countingTensor(rows: number, columns: number): Tensor {
  const values = Float32Array.from({ length: rows * columns }, (_, index) => index / 8);
  return { dtype: "f32", shape: [rows, columns], data: new Uint8Array(values.buffer) };
}

/** A tensor of bytes that count up, with a scale of ½ for each row. */
export function byteTensor(rows: number, columns: number): Tensor {
  const scales = new Uint8Array(new Float32Array(rows).fill(0.5).buffer);
  const data = Uint8Array.from({ length: rows * columns }, (_, index) => index);
  return { dtype: "i8", shape: [rows, columns], scales, data };
}

export function activation(batch: number, rows = 2, columns = 4): ActivationFrame {
  return {
    kind: "activation",
    batch,
    activation: countingTensor(rows, columns),
    labels: { dtype: "u8", shape: [rows, 1], data: new Uint8Array(rows).fill(1) },
  };
}

export function preview(batch: number, rows = 2, columns = 3): PreviewFrame {
  const { labels } = activation(batch, rows);
  return { kind: "preview", batch, labels, input: countingTensor(rows, columns) };
}

export function correction(batch: number, rows = 2, columns = 4): CorrectionFrame {
  return { kind: "correction", batch, activation: countingTensor(rows, columns) };
}
