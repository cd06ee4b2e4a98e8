import {
  acknowledge,
  againAs,
  bent,
  flipped,
  infinite,
  isGradient,
  type Tensor,
  withAllRows,
  zeroed,
} from "./bending.ts";
import type { Fields, Mutation } from "./broken-worker.ts";

export interface Mutant {
  readonly what: string;
  /** The claim that finds it out. */
  readonly claim: string;
  readonly mutation: () => Mutation;
}

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
      fromAfter: without("gradient"),
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
      fromBefore: (frame) => [frame.incarnation === 0 ? { ...frame, incarnation: Date.now() } : frame],
    }),
  },
  {
    what: "sends nothing again, and asks nobody for it",
    claim: "what a successor lacks goes on again",
    mutation: () => ({
      toBefore: without("rewind"),
      toAfter: againAs(() => []),
    }),
  },
  {
    what: "sends again what it did not send before",
    claim: "what a successor lacks goes on again",
    mutation: () => ({ toAfter: againAs((frame, time) => [bent(frame, time, "activation")]) }),
  },
  {
    what: "sends again more than the window",
    claim: "what a successor lacks goes on again",
    mutation: () => ({
      toAfter: againAs((frame, _, proxy) => {
        acknowledge(frame, proxy);
        return [frame];
      }),
      // What the successor says of it then would be of nothing in flight.
      fromAfter: (frame) => (frame.kind === "gradient" && !isGradient(frame) ? [] : [frame]),
    }),
  },
  {
    what: "applies a batch once more where it comes again, whatever it answers",
    claim: "weights change at most once for each batch",
    mutation: () => {
      const applied = new Set<unknown>();
      let again = 0;
      return {
        fromBefore: (frame) => {
          if (frame.kind === "activation" && !frame.evaluation) {
            if (applied.has(frame.batch)) again++;
            applied.add(frame.batch);
          }
          return [frame];
        },
        toAfter: (frame) => [frame.evaluation && again > 0 ? bent(frame, again, "activation") : frame],
      };
    },
  },
  {
    what: "learns nothing from a batch",
    claim: "the next batch changes the weights",
    mutation: () => {
      let first: unknown;
      return {
        toAfter: (frame) => {
          if (!frame.evaluation) return [frame];
          first ??= frame.activation;
          return [{ ...frame, activation: first }];
        },
      };
    },
  },
  {
    what: "says that it lacks what it sends again itself",
    claim: "need is cursor + 1, or what a linked successor lacks",
    mutation: () => {
      let linked = 0;
      return {
        toBefore: (frame) => {
          if (frame.kind === "welcome" && ++linked === 3) return [{ ...frame, need: Number(frame.need) - 1 }];
          return [frame];
        },
      };
    },
  },
  {
    what: "does not pass rewinds on",
    claim: "behind held-out data it is asked for",
    mutation: () => ({ toBefore: without("rewind") }),
  },
  {
    what: "passes a rewind on as it heard it, not the lower of both",
    claim: "behind held-out data it is asked for",
    mutation: () => {
      let heard: unknown;
      return {
        fromAfter: (frame) => {
          if (frame.kind === "rewind") heard = frame.need;
          return [frame];
        },
        toBefore: changed("rewind", () => ({ need: heard })),
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
      toBefore: without("gradient"),
    }),
  },
  {
    what: "does not say which part it answers",
    claim: "they change nothing",
    mutation: () => ({
      toBefore: (frame) => {
        const { part: _, ...rest } = frame;
        return [rest];
      },
    }),
  },
  {
    what: "takes the answer to any part for that to another",
    claim: "from the successor the answer to another part closes with 4400",
    mutation: () => ({
      fromAfter: (frame) => [frame.part === 1 ? { ...frame, part: 0 } : frame],
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
      toAfter: changed("activation", ({ labels }) => ({ labels: flipped(labels as Tensor) })),
    }),
  },
  {
    what: "sends what is not finite",
    claim: "every batch is answered once, in order",
    mutation: () => ({
      toAfter: changed("activation", ({ activation }) => ({ activation: infinite(activation as Tensor) })),
    }),
  },
  {
    what: "takes what is not finite",
    claim: "an activation with infinity as f32 closes with 4422",
    mutation: () => ({
      fromBefore: changed("activation", ({ activation }) => ({ activation: zeroed(activation as Tensor) })),
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
    mutation: () => ({ toAfter: changed("question", () => ({ question: 1 })) }),
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
  {
    what: "learns from evaluations, and answers as before",
    claim: "they change nothing",
    mutation: () => {
      let parts = 0;
      return {
        toAfter: (frame) => [frame.evaluation ? bent(frame, ++parts, "activation") : frame],
      };
    },
  },
];

/** Frames of this kind with other fields. */
function changed(kind: string, change: (frame: Fields) => object): (frame: Fields) => Fields[] {
  return (frame) => [frame.kind === kind ? { ...frame, ...change(frame) } : frame];
}

/** All frames but those of this kind. */
function without(kind: string): (frame: Fields) => Fields[] {
  return (frame) => (frame.kind === kind ? [] : [frame]);
}
