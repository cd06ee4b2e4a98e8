import type { DataFacts } from "../../shared/config/data-facts.ts";
import type { Batch, DataSet } from "../../shared/data/data-set.ts";
import { oneHot } from "../../shared/data/labels.ts";
import type { Link } from "../../shared/link/link.ts";
import type { AnswerMessage, QuestionMessage } from "../../shared/telemetry/messages.ts";
import { LARGEST_VALUE } from "../../shared/wire/tensor.ts";
import { isFree, QuestionAllowance } from "../worker/question-allowance.ts";
import { tensorOf } from "./batch-frames.ts";

interface Surroundings {
  readonly now: () => number;
  readonly successor: () => Link | undefined;
  /** The batch sent last. */
  readonly batch: () => number;
  readonly answered: (answer: Omit<AnswerMessage, "kind">) => void;
}

/** What is asked: one input, and what it is where that is known. */
interface Asked {
  readonly input: Uint8Array | Float32Array;
  readonly labels?: readonly number[];
}

const MOST_LABELS = 16_384;

/** Sends questions of the hub's into the chain, and tells the hub what it has asked. */
export class Questions {
  readonly #data: DataSet;
  readonly #facts: DataFacts;
  readonly #batchSize: number;
  readonly #around: Surroundings;
  readonly #allowance: QuestionAllowance;

  constructor(data: DataSet, facts: DataFacts, batchSize: number, around: Surroundings) {
    this.#data = data;
    this.#facts = facts;
    this.#batchSize = batchSize;
    this.#around = around;
    this.#allowance = new QuestionAllowance(around.now);
  }

  hear(message: QuestionMessage): void {
    const { question } = message;
    const answer = (about: { readonly refusal: string } | Pick<AnswerMessage, "input" | "labels">) =>
      this.#around.answered({ question, batch: this.#around.batch(), ...about });
    if (!this.#allowance.take()) return answer({ refusal: "too many questions at once" });
    const asked = this.#read(message);
    if (typeof asked === "string") return answer({ refusal: asked });
    const successor = this.#around.successor();
    if (successor === undefined) return answer({ refusal: "layer 1 is away" });
    if (!successor.takesQuestions) return answer({ refusal: "layer 1 takes no questions" });
    if (!isFree(successor)) return answer({ refusal: "too much is on its way to layer 1" });
    const { input, labels } = asked;
    answer({ input: [...input], ...(labels && { labels }) });
    successor.send({ kind: "question", question, activation: tensorOf(1, input, this.#data.inputScale) });
  }

  /** Or why it cannot be asked. */
  #read({ example, input }: QuestionMessage): Asked | string {
    if (input === undefined)
      return isCount(example) ? this.#heldOut(example) : "expected an input or an example";
    if (!Array.isArray(input)) return "the input is no list";
    const { inputWidth, inputType } = this.#facts;
    if (input.length !== inputWidth) return `the input has ${input.length} numbers, expected ${inputWidth}`;
    const least = this.#isWhole ? 0 : -LARGEST_VALUE;
    const at = input.findIndex((value) => !this.#isInput(value));
    if (at >= 0)
      return `number ${at} of the input is ${input[at]}, expected ${this.#kind} from ${least} to ${this.#most}`;
    return { input: inputType === "u8" ? Uint8Array.from(input) : Float32Array.from(input) };
  }

  #isInput(value: unknown): boolean {
    if (typeof value !== "number" || !(Math.abs(value) <= this.#most)) return false;
    return !this.#isWhole || (Number.isInteger(value) && value >= 0);
  }

  get #kind(): string {
    return this.#isWhole ? "a whole number" : "a number";
  }

  /** Bytes, and ids. */
  get #isWhole(): boolean {
    return this.#facts.inputType === "u8" || this.#facts.sequence !== undefined;
  }

  get #most(): number {
    const { inputType, sequence } = this.#facts;
    if (sequence) return sequence.vocabulary - 1;
    return inputType === "f32" ? LARGEST_VALUE : 255;
  }

  /** Counted on from the first again after the last. */
  #heldOut(example: number): Asked {
    const parts = this.#data.evaluationParts(this.#batchSize);
    const last = this.#data.evaluationPart(parts - 1, this.#batchSize).rows;
    const number = example % ((parts - 1) * this.#batchSize + last);
    const { rows, input, labels } = this.#data.evaluationPart(
      Math.floor(number / this.#batchSize),
      this.#batchSize,
    );
    const row = number % this.#batchSize;
    const own = rowOf(input, row, rows);
    if (this.#facts.labelWidth > MOST_LABELS) return { input: own };
    const itsLabels = oneHot(this.#facts, rowOf(labels, row, rows));
    return { input: own, labels: [...itsLabels] };
  }
}

function rowOf<Values extends Batch["labels"] | Batch["input"]>(
  values: Values,
  row: number,
  rows: number,
): Values {
  const width = values.length / rows;
  return values.slice(row * width, (row + 1) * width) as Values;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
