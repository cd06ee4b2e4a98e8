import { describe, expect, it } from "vitest";
import { LayerWork } from "../../../services/layer/layer-work.ts";
import { Questions } from "../../../services/layer/questions.ts";
import type { NetworkOptions } from "../../../shared/dni/build-layer.ts";
import type { Method } from "../../../shared/dni/layer-options.ts";
import type { Link } from "../../../shared/link/link.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import { CloseCode, type Frame, type QuestionFrame, type Tensor } from "../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../shared/wire/tensor.ts";
import { dtypes, frame, network, ones, snapshot } from "./small-layers.ts";

function networkOf(method: Method, form?: "classifying" | "bent"): NetworkOptions {
  const { learning } = network;
  // At the others' rate a bent head of so small a layer runs away.
  const generator = { ...learning.generator, ...(form && { form }), ...(form === "bent" && { rate: 1e-3 }) };
  return { ...network, learning: { ...learning, method, generator } };
}

function workOf(of: NetworkOptions, number: number): LayerWork {
  return new LayerWork(wasmKernels(), of, number, { ticketsKept: 4, dtypes });
}

function question(values: readonly number[], id = 1): QuestionFrame {
  return {
    kind: "question",
    question: id,
    activation: floatsToTensor(new Float32Array(values), 1, values.length),
  };
}

/** What layer 1 or 2 learns in ten batches, or the head; `between` comes at every point at which a question can. */
function trained(of: NetworkOptions, number: number, between: (work: LayerWork) => void): LayerWork {
  const work = workOf(of, number);
  const columns = of.layers[number - 1]!.inputs;
  const isLocked = of.learning.method === "backprop";
  for (let batch = 0; batch < 10; batch++) {
    const values = Array.from({ length: 2 * columns }, (_, index) => Math.sin(batch * 7 + index));
    const heard = frame(values, columns, { batch });
    const gradient: Tensor = floatsToTensor(
      Float32Array.from(ones, (one) => one - 0.4),
      2,
      4,
    );
    const target = { kind: "gradient", batch, gradient } as const;
    between(work);
    if (isLocked && number < 3) {
      work.passForward(heard, batch);
      between(work);
      work.passBackward(heard, batch, target, true);
      continue;
    }
    const { output } = work.update(heard);
    between(work);
    if (output) work.learn(batch, target);
  }
  between(work);
  return work;
}

const WAYS: readonly (readonly [string, NetworkOptions, boolean])[] = [
  ["cdni with a classifying generator", networkOf("cdni", "classifying"), true],
  ["cdni with a bent head", networkOf("cdni", "bent"), true],
  ["cdni with a linear generator", networkOf("cdni"), false],
  ["dni", networkOf("dni"), false],
  ["local", networkOf("local"), true],
  ["backprop", networkOf("backprop"), false],
];

describe.each(WAYS)("a layer that learns by %s", (_, of, classifies) => {
  it.each([1, 2, 3])(
    "as layer %i learns the same bits with 10,000 questions in between as with none",
    (number) => {
      const values = Array.from({ length: of.layers[number - 1]!.inputs }, (_, index) => 3 - index);
      const asked = trained(of, number, (work) => {
        for (let time = 0; time < 400; time++) work.ask(question(values));
      });
      expect(snapshot(asked)).toEqual(snapshot(trained(of, number, () => {})));
    },
  );

  it(`${classifies ? "believes something" : "has no opinion"} of a question, and its head always does`, () => {
    const hidden = trained(of, 1, () => {}).ask(question([1, 2, 3]));
    expect(hidden.beliefs?.length).toBe(classifies ? 2 : undefined);
    if (hidden.beliefs) expect(hidden.beliefs[0]! + hidden.beliefs[1]!).toBeCloseTo(1, 6);
    expect(hidden.passed).toMatchObject({ kind: "question", question: 1, activation: { shape: [1, 4] } });
    const head = trained(of, 3, () => {}).ask(question([1, 2, 3, 4]));
    expect(head.beliefs).toHaveLength(2);
    expect(head.passed).toBeUndefined();
  });
});

it("a classifying generator believes the softmax of what its classifier gives, not of what it gave last", () => {
  const work = trained(networkOf("cdni", "classifying"), 1, () => {});
  const { tensors } = work.state();
  const { beliefs, passed } = work.ask(question([1, -2, 3]));
  const output = new Float32Array(passed!.activation.data.slice().buffer);
  const [classifier, offset] = [tensors["generator.classifier"]!, tensors["generator.offset"]!];
  const logits = [0, 1].map(
    (label) =>
      offset[label]! + output.reduce((sum, value, unit) => sum + value * classifier[unit * 2 + label]!, 0),
  );
  const odds = Math.exp(logits[0]! - logits[1]!);
  expect(Math.abs(logits[0]! - logits[1]!)).toBeGreaterThan(0.01);
  expect(beliefs![0]).toBeCloseTo(odds / (1 + odds), 5);
});

it("a question whose numbers run away is neither believed nor passed on, and is no reason to go back", () => {
  const work = trained(networkOf("cdni", "classifying"), 1, () => {});
  const { passed } = work.ask(question([1e6, 1e6, 1e6]));
  const { passed: beyond } = work.ask(question([-1e6, 1e6, -1e6]));
  for (const each of [passed, beyond]) {
    const values = each ? new Float32Array(each.activation.data.slice().buffer) : [];
    for (const value of values) expect(Math.abs(value)).toBeLessThanOrEqual(1e6);
  }
  expect(passed === undefined || beyond === undefined).toBe(true);
  expect(work.ask(question([1, 2, 3])).passed).toBeDefined();
});

describe("questions on their way through a layer", () => {
  function scene(successor: Partial<Link> = {}) {
    const [sent, answered]: [Frame[], number[]] = [[], []];
    let now = 0;
    const link = {
      takesQuestions: true,
      bufferedBytes: 0,
      send: (each: Frame) => sent.push(each),
      ...successor,
    };
    const questions = new Questions(workOf(networkOf("cdni", "classifying"), 1), {
      now: () => now,
      successor: () => link as Link,
      answered: (id) => answered.push(id),
    });
    return {
      ...{ sent, answered, questions },
      pass: (ms: number) => {
        now += ms;
      },
    };
  }

  it("are passed on to a successor that said it takes them, and answered either way", () => {
    const [knows, not] = [scene(), scene({ takesQuestions: false })];
    for (const { questions } of [knows, not]) questions.hear(question([1, 2, 3], 7));
    expect([knows.answered, not.answered]).toEqual([[7], [7]]);
    expect(knows.sent).toMatchObject([{ kind: "question", question: 7 }]);
    expect(not.sent).toEqual([]);
  });

  it("are not passed on while activations wait for the network", () => {
    const { questions, sent, answered } = scene({ bufferedBytes: 64 * 1024 * 1024 });
    questions.hear(question([1, 2, 3]));
    expect([answered.length, sent.length]).toEqual([1, 0]);
  });

  it("are dropped where they come in floods, and dealt with again a moment later", () => {
    const { questions, answered, pass } = scene();
    for (let time = 0; time < 100_000; time++) questions.hear(question([1, 2, 3]));
    expect(answered.length).toBeLessThan(100);
    pass(1_000);
    const before = answered.length;
    questions.hear(question([1, 2, 3]));
    expect(answered.length).toBe(before + 1);
  });

  it.each<[string, Tensor, number]>([
    ["of another width", floatsToTensor(new Float32Array(4), 1, 4), CloseCode.mismatch],
    ["of another dtype", { dtype: "u8", shape: [1, 3], data: new Uint8Array(3) }, CloseCode.mismatch],
    ["with NaN", floatsToTensor(Float32Array.of(1, Number.NaN, 1), 1, 3), CloseCode.nonFinite],
    ["beyond a million", floatsToTensor(Float32Array.of(1, 1e7, 1), 1, 3), CloseCode.nonFinite],
  ])("close the link where they are %s", (_, activation, code) => {
    const { questions, answered } = scene();
    const hear = () => questions.hear({ kind: "question", question: 1, activation });
    expect(hear).toThrow(FrameError);
    try {
      hear();
    } catch (error) {
      expect((error as FrameError).code).toBe(code);
    }
    expect(answered).toEqual([]);
  });
});
