import type { Link } from "../../shared/link/link.ts";
import type { QuestionFrame } from "../../shared/wire/frames.ts";
import { isFree, QuestionAllowance } from "../worker/question-allowance.ts";
import type { LayerWork } from "./layer-work.ts";

interface Surroundings {
  readonly now: () => number;
  readonly successor: () => Link | undefined;
  /** Without beliefs where this layer has no classifier of its own. */
  readonly answered: (question: number, beliefs: readonly number[] | undefined) => void;
}

/**
 * Questions on their way through a layer: dealt with as they arrive, between two batches, also while training is paused or
 * held. Delivery knows nothing of them; one too many is dropped.
 */
export class Questions {
  readonly #work: Pick<LayerWork, "ask" | "inspector">;
  readonly #around: Surroundings;
  readonly #allowance: QuestionAllowance;

  constructor(work: Pick<LayerWork, "ask" | "inspector">, around: Surroundings) {
    this.#work = work;
    this.#around = around;
    this.#allowance = new QuestionAllowance(around.now);
  }

  /** Throws a FrameError at a question that this layer cannot take. */
  hear(frame: QuestionFrame): void {
    this.#work.inspector.inspectQuestion(frame);
    if (!this.#allowance.take()) return;
    const { beliefs, passed } = this.#work.ask(frame);
    this.#around.answered(frame.question, beliefs);
    const successor = this.#around.successor();
    if (passed && successor && isFree(successor)) successor.send(passed);
  }
}
