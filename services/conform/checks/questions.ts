import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor, teaches } from "../check.ts";
import { requireFields } from "../expect.ts";
import type { Frame, Tensor } from "../frame.ts";
import { readTensor, sameBytes, tensor, withNumber } from "../numbers.ts";
import { Broken } from "../peer.ts";
import { probe } from "../probe.ts";
import { quiet } from "./batches.ts";
import { OTHER_DTYPE } from "./frames.ts";

const WORD = "questions";
const NUMBER = 2 ** 40 + 7;
/** Not a number, where a dtype has that. */
const NAN: Readonly<Record<string, string>> = { f32: "0000c07f", f16: "007e", bf16: "c07f" };

/** What must be kept by a worker that says it takes questions; another is sent none. */
export const questions: readonly Check[] = [
  {
    section: "question",
    claim: "one is answered by no frame, and passed on under its number to a successor that takes them",
    run: async (bench) => {
      if (!(await takesQuestions(bench))) return;
      const { isHead, dtype, outputs } = bench.subject;
      if (!isHead) await sayTakesQuestions(bench);
      bench.before.send(question(bench));
      await bench.before.hasRead();
      await bench.before.staysSilent();
      if (isHead) return;
      const passed = await bench.after.next("question");
      requireFields(passed, "activation kind question");
      if (passed.question !== NUMBER) throw new Broken(`expected question ${NUMBER}, got ${passed.question}`);
      readTensor(passed.activation, dtype, 1, outputs);
      await quiet(bench);
    },
  },
  {
    section: "question",
    claim: "a successor that has not said it takes questions is sent none",
    concerns: hasSuccessor,
    run: async (bench) => {
      if (!(await takesQuestions(bench))) return;
      bench.before.send(question(bench));
      await bench.before.hasRead();
      await quiet(bench);
    },
  },
  {
    section: "question",
    claim: "questions change nothing: the next answer to the same batch is the same",
    concerns: teaches,
    run: async (bench) => {
      if (!(await takesQuestions(bench))) return;
      const item = await bench.learn({ isTaught: false });
      const before = [await probe(bench), await bench.taughtAgain(item)] as const;
      for (let time = 0; time < 20; time++) bench.before.send({ ...question(bench), question: time });
      if (!sameBytes(before[1], await bench.taughtAgain(item)))
        throw new Broken("expected the same gradient as before the questions, got another");
      if ((await probe(bench)) !== before[0])
        throw new Broken("it makes another of held-out data after the questions");
    },
  },
  bad("of two rows", 4400, ({ subject: { dtypeIn, inputs } }) => tensor(dtypeIn, 2, inputs, 0)),
  bad("of another width", 4412, ({ subject: { dtypeIn, inputs } }) => tensor(dtypeIn, 1, inputs + 1, 0)),
  bad("of another dtype", 4412, ({ subject: { dtypeIn, inputs } }) =>
    tensor(OTHER_DTYPE[dtypeIn]!, 1, inputs, 0),
  ),
  {
    ...bad("with a value that is no number", 4422, ({ subject: { dtypeIn, inputs } }) =>
      withNumber(tensor(dtypeIn, 1, inputs, 0), 0, NAN[dtypeIn]!),
    ),
    concerns: ({ dtypeIn }) => dtypeIn in NAN,
  },
];

function question({ subject: { dtypeIn, inputs } }: Bench): Frame {
  return { kind: "question", question: NUMBER, activation: tensor(dtypeIn, 1, inputs, 1) };
}

function bad(what: string, code: number, activation: (bench: Bench) => Tensor): Check {
  return {
    section: "question",
    claim: `one ${what} closes with ${code}`,
    run: async (bench) => {
      if (!(await takesQuestions(bench))) return;
      bench.before.send({ ...question(bench), activation: activation(bench) });
      await bench.before.closesWith(code);
    },
  };
}

/** Whether it has said so, on new links. */
async function takesQuestions(bench: Bench): Promise<boolean> {
  await bench.settle();
  await bench.before.hasRead();
  return bench.before.words.has(WORD);
}

/** As its successor. */
async function sayTakesQuestions({ after }: Bench): Promise<void> {
  after.socket.ping(WORD);
  await after.hasRead();
}
