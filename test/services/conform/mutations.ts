import type { BrokenWorker, Fields, Mutation } from "./broken-worker.ts";

export interface Mutant {
  readonly what: string;
  /** The claim that finds it out. */
  readonly claim: string;
  readonly mutation: () => Mutation;
}

interface Tensor {
  readonly shape: readonly [number, number];
  readonly data: Buffer;
}

/** Of layer 2 of configs/conform.yaml. */
const ROWS = 50;

const isGradient = ({ kind, gradient }: Fields): boolean => kind === "gradient" && gradient !== undefined;

/** Workers that are wrong in one way each. */
export const mutants: readonly Mutant[] = [
  {
    what: "answers twice",
    claim: "every batch is answered once, in order",
    mutation: () => ({ toBefore: (frame) => (isGradient(frame) ? [frame, frame] : [frame]) }),
  },
  {
    what: "takes a gradient of fewer rows",
    claim: "from the successor a gradient of fewer rows than the batch closes with 4412",
    mutation: () => ({ fromAfter: (frame) => [isGradient(frame) ? withAllRows(frame) : frame] }),
  },
  {
    what: "takes no notice of its successor's window",
    claim: "at most window items are in flight to the successor",
    mutation: () => ({
      toAfter: (frame, proxy) => {
        if (frame.kind === "activation") acknowledge(frame, proxy);
        return [frame];
      },
      fromAfter: (frame) => (frame.kind === "gradient" ? [] : [frame]),
    }),
  },
  {
    what: "closes with 4412 where it should with 4403",
    claim: "another run closes with 4403",
    mutation: () => ({ code: (code) => (code === 4403 ? 4412 : code) }),
  },
  {
    what: "applies a batch twice, so that the next answer to it is another",
    claim: "weights change at most once for each batch",
    mutation: () => {
      let answers = 0;
      return { toBefore: (frame) => [isGradient(frame) ? bent(frame, ++answers) : frame] };
    },
  },
  {
    what: "takes incarnation 0",
    claim: "incarnation 0, as lives are counted from 1 closes with 4400",
    mutation: () => ({
      fromBefore: (frame) => [frame.incarnation === 0 ? { ...frame, incarnation: 2 * Date.now() } : frame],
    }),
  },
  {
    what: "does not pass rewinds on",
    claim: "one to a batch that the layer has applied is passed on",
    mutation: () => ({ toBefore: (frame) => (frame.kind === "rewind" ? [] : [frame]) }),
  },
  {
    what: "passes a rewind on as it heard it, not the lower of both",
    claim: "need is lowered, not raised",
    mutation: () => {
      let heard: unknown;
      return {
        fromAfter: (frame) => {
          if (frame.kind === "rewind") heard = frame.need;
          return [frame];
        },
        toBefore: (frame) => [frame.kind === "rewind" ? { ...frame, need: heard } : frame],
      };
    },
  },
  {
    what: "learns on for ever while its successor is away",
    claim: "with its successor away it learns stalenessBudget batches",
    mutation: () => ({
      fromBefore: (frame, proxy) => {
        if (frame.kind === "activation")
          setTimeout(() => proxy.sayBefore({ kind: "gradient", batch: frame.batch }), 5);
        return [frame];
      },
      toBefore: (frame) => (frame.kind === "gradient" ? [] : [frame]),
    }),
  },
  {
    what: "drops barriers",
    claim: "at cursor + 1 it is answered without numbers and passed on as it is",
    mutation: () => ({
      toAfter: (frame, proxy) => {
        if (frame.kind === "barrier") acknowledge(frame, proxy);
        return frame.kind === "barrier" ? [] : [frame];
      },
    }),
  },
  {
    what: "changes labels on their way",
    claim: "every batch is answered once, in order",
    mutation: () => ({
      toAfter: (frame) => [
        frame.kind === "activation" ? { ...frame, labels: flipped(frame.labels as Tensor) } : frame,
      ],
    }),
  },
  {
    what: "sends what is not finite",
    claim: "every batch is answered once, in order",
    mutation: () => ({
      toAfter: (frame) => [
        frame.kind === "activation" ? { ...frame, activation: infinite(frame.activation as Tensor) } : frame,
      ],
    }),
  },
  {
    what: "takes what is not finite",
    claim: "an activation with infinity as f32 closes with 4422",
    mutation: () => ({
      fromBefore: (frame) => [
        frame.kind === "activation" ? { ...frame, activation: zeroed(frame.activation as Tensor) } : frame,
      ],
    }),
  },
  {
    what: "answers questions as if they were batches",
    claim: "one is answered by no frame",
    mutation: () => ({
      fromBefore: (frame, proxy) => {
        if (frame.kind === "question") proxy.sayBefore({ kind: "gradient", batch: 0 });
        return [frame];
      },
    }),
  },
  {
    what: "passes questions on under a number of its own",
    claim: "one is answered by no frame",
    mutation: () => ({
      toAfter: (frame) => [frame.kind === "question" ? { ...frame, question: 1 } : frame],
    }),
  },
  {
    what: "sends questions to a successor that never said it takes them",
    claim: "a successor that has not said it takes questions is sent none",
    mutation: () => ({
      fromBefore: (frame, proxy) => {
        if (frame.kind === "question") proxy.sayAfter(frame);
        return [frame];
      },
    }),
  },
  {
    what: "learns from questions",
    claim: "questions change nothing",
    mutation: () => {
      let asked = 0;
      return {
        fromBefore: (frame) => {
          if (frame.kind === "question") asked++;
          return [frame];
        },
        toBefore: (frame) => [asked > 0 && isGradient(frame) ? bent(frame, asked) : frame],
      };
    },
  },
  {
    what: "learns from evaluations",
    claim: "they change nothing",
    mutation: () => {
      let answers = 0;
      return { toBefore: (frame) => [isGradient(frame) ? bent(frame, ++answers) : frame] };
    },
  },
];

function acknowledge({ batch }: Fields, proxy: BrokenWorker): void {
  proxy.answerWorker({ kind: "gradient", batch });
}

function withAllRows(frame: Fields): Fields {
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
function bent(frame: Fields, time: number): Fields {
  const gradient = frame.gradient as Tensor;
  const data = Buffer.from(gradient.data);
  data.writeFloatLE(time / 1024, 0);
  return { ...frame, gradient: { ...gradient, data } };
}

function flipped(labels: Tensor): Tensor {
  const data = Buffer.from(labels.data);
  data[0] = 1 - data[0]!;
  return { ...labels, data };
}

function infinite(tensor: Tensor): Tensor {
  const data = Buffer.from(tensor.data);
  data.writeFloatLE(Number.POSITIVE_INFINITY, 0);
  return { ...tensor, data };
}

function zeroed(tensor: Tensor): Tensor {
  return { ...tensor, data: Buffer.alloc(tensor.data.length) };
}
