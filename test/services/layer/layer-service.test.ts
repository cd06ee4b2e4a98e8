import { expect, it } from "vitest";
import { LayerService } from "../../../services/layer/layer-service.ts";
import type { LayerSurroundings } from "../../../services/layer/layer-surroundings.ts";
import { LayerWork } from "../../../services/layer/layer-work.ts";
import { Meter } from "../../../services/worker/meter.ts";
import { weightsDigest } from "../../../shared/checkpoint/digest.ts";
import { initialState } from "../../../shared/delivery/delivery-state.ts";
import type { Rules } from "../../../shared/delivery/rules.ts";
import type { Link } from "../../../shared/link/link.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { decode, encode } from "../../../shared/wire/codec.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import {
  type ActivationFrame,
  type BackFrame,
  CloseCode,
  type CorrectionFrame,
  type ForwardFrame,
  type Frame,
  type PreviewFrame,
} from "../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../shared/wire/tensor.ts";

const constant = { optimizer: "sgd", rate: 0.1, momentum: 0, schedule: { kind: "constant" } } as const;
const hidden = { inputs: 4, outputs: 4, nonlinearity: "relu", batchNorm: false } as const;
const network = (method: "cdni" | "backprop", isUnlocked: boolean, mixture: number) =>
  ({
    seed: 1,
    layers: [hidden, hidden, { inputs: 4, outputs: 2, nonlinearity: "identity", batchNorm: false }],
    loss: "softmax-cross-entropy",
    learning: {
      method,
      layer: constant,
      generator: { ...constant, evidence: ["output", "labels"] },
      mixture,
      ...(isUnlocked && { inputGenerator: { rate: 0.1, hidden: [] } }),
    },
    run: { batchSize: 2, batches: 100 },
  }) as const;

/** Values that differ from batch to batch. */
const values = (batch: number) =>
  floatsToTensor(
    Float32Array.from({ length: 8 }, (_, index) => Math.sin(batch * 8 + index)),
    2,
    4,
  );

const labels = { dtype: "u8", shape: [2, 1], data: new Uint8Array([0, 1]) } as const;

function batchFrame(batch: number): ActivationFrame {
  return { kind: "activation", batch, activation: values(batch), labels };
}

/** A batch that is shown, and then what it came to. */
function shownFrames(batch: number): [PreviewFrame, CorrectionFrame] {
  return [
    { kind: "preview", batch, labels, input: values(batch) },
    { kind: "correction", batch, activation: values(batch + 50) },
  ];
}

const gradientFrame = (batch: number): BackFrame => ({ kind: "gradient", batch, gradient: values(-batch) });

/** A hidden layer, its neighbours played by the test; all it says, as bytes. Layer 1, or 2 where inputs are guessed. */
class Played {
  readonly said: Buffer[] = [];
  readonly #work: LayerWork;
  readonly service: LayerService;

  constructor(method: "cdni" | "backprop", change: Partial<Rules>, mixture = 0) {
    const rules: Rules = {
      ...{
        batches: 100,
        window: 4,
        isHead: false,
        isLocked: method === "backprop" || mixture > 0,
        stalenessBudget: 64,
      },
      ...change,
    };
    const dtypes = { input: "f32", link: "f32" } as const;
    const { isUnlocked = false } = rules;
    const number = isUnlocked ? 2 : 1;
    this.#work = new LayerWork(wasmKernels(), network(method, isUnlocked, mixture), number, {
      ticketsKept: 8,
      dtypes,
    });
    const idle = { applies: () => undefined, applied: () => undefined, stands: () => undefined };
    const around = idle as Partial<LayerSurroundings> as LayerSurroundings;
    this.service = new LayerService(rules, this.#work, new Meter(0), around, initialState(-1));
    const link = { send: (frame: Frame) => void this.said.push(encode(frame)) } as Partial<Link> as Link;
    this.service.predecessorUp(link);
    this.service.successorUp(link, 0);
  }

  get digest(): string {
    return weightsDigest(this.#work.state().tensors);
  }
}

interface Ways {
  /** Hands the layer a frame, as a link does. */
  forward(frame: ForwardFrame): void;
  back(frame: BackFrame): void;
}

it.each([
  ["that waits for it", "backprop", 0],
  ["that waits for it, and guesses too", "cdni", 0.5],
  ["that guessed it", "cdni", 0],
] as const)(
  "refuses a gradient of other rows than its batch, and learns from the right one after that: a layer %s",
  (_, method, mixture) => {
    const played = new Played(method, {}, mixture);
    const { service, said } = played;
    service.fromPredecessor(batchFrame(0));
    const before = [said.length, played.digest];
    const few = floatsToTensor(new Float32Array(4), 1, 4);
    expect(() => service.fromSuccessor({ kind: "gradient", batch: 0, gradient: few })).toThrow(
      new FrameError("gradient is 1×4, this layer takes 2×4", CloseCode.mismatch),
    );
    expect([said.length, played.digest]).toEqual(before);
    service.fromSuccessor(gradientFrame(0));
    expect(said.map(decoded)).toMatchObject(
      mixture > 0 || method === "backprop"
        ? [{ kind: "activation" }, { kind: "gradient", batch: 0 }]
        : [{ kind: "gradient", batch: 0 }, { kind: "activation" }],
    );
    expect(played.digest).not.toBe(before[1]);
  },
);

const decoded = (bytes: Buffer) => decode(bytes, { maxFrameBytes: 1 << 20 });

/** A tensor that is refused for its last value, after all the others were read. */
const poison = floatsToTensor(
  Float32Array.from({ length: 8 }, (_, index) => 10 ** index),
  2,
  4,
);

/** The same frame with other values, one of them beyond reason. */
function poisoned(frame: Frame): Frame {
  if (frame.kind === "preview") return { ...frame, input: poison };
  return frame.kind === "gradient"
    ? { ...frame, gradient: poison }
    : ({ ...frame, activation: poison } as Frame);
}

/** All that a layer says and is after the story, told alone or with a frame that is refused before and after each of it. */
function told(played: Played, isDisturbed: boolean, story: (ways: Ways, service: LayerService) => void) {
  const handOver = (frame: Frame, take: (frame: never) => void) => {
    const disturb = () => expect(() => take(poisoned(frame) as never)).toThrow("beyond");
    if (isDisturbed) disturb();
    take(decoded(encode(frame)) as never);
    if (isDisturbed) disturb();
  };
  const { service } = played;
  story(
    {
      forward: (frame) => handOver(frame, (each) => service.fromPredecessor(each)),
      back: (frame) => handOver(frame, (each) => service.fromSuccessor(each)),
    },
    service,
  );
  return { said: played.said, digest: played.digest };
}

it.each<[string, "cdni" | "backprop", Partial<Rules>, (ways: Ways, service: LayerService) => void]>([
  [
    "batches that wait for room in the window",
    "cdni",
    {},
    ({ forward, back }) => {
      for (let batch = 0; batch < 8; batch++) forward(batchFrame(batch));
      for (let batch = 0; batch < 8; batch++) back(gradientFrame(batch));
    },
  ],
  [
    "batches that wait for the end of a pause",
    "cdni",
    {},
    ({ forward }, service) => {
      service.pause(true);
      for (let batch = 0; batch < 4; batch++) forward(batchFrame(batch));
      service.pause(false);
    },
  ],
  [
    "a batch that waits for its gradient",
    "backprop",
    {},
    ({ forward, back }) => {
      for (let batch = 0; batch < 4; batch++) forward(batchFrame(batch));
      for (let batch = 0; batch < 4; batch++) back(gradientFrame(batch));
    },
  ],
  [
    "targets that wait for their turn",
    "cdni",
    { staleness: 3 },
    ({ forward, back }) => {
      for (let batch = 0; batch < 3; batch++) forward(batchFrame(batch));
      for (let batch = 0; batch < 3; batch++) back(gradientFrame(batch));
      for (let batch = 3; batch < 6; batch++) forward(batchFrame(batch));
    },
  ],
  [
    "batches that are shown, and what they came to,",
    "cdni",
    { isUnlocked: true },
    ({ forward, back }, service) => {
      const show = (batch: number) => shownFrames(batch).forEach(forward);
      service.pause(true);
      for (let batch = 0; batch < 4; batch++) show(batch);
      service.pause(false);
      for (let batch = 0; batch < 4; batch++) back(gradientFrame(batch));
      for (let batch = 4; batch < 7; batch++) show(batch);
    },
  ],
])("%s are learnt from as they came, whatever was refused meanwhile", (_, method, rules, story) => {
  const own = told(new Played(method, rules), false, story);
  expect(own.said.length).toBeGreaterThan(3);
  expect(told(new Played(method, rules), true, story)).toEqual(own);
});
