import type { DataFacts } from "../../shared/config/data-facts.ts";
import { outputNames, valuesOf } from "../../shared/data/encode.ts";

/** What a model says of one example. */
export type Answer =
  /** The likeliest class, and how likely each is. */
  | { readonly prediction: string; readonly probabilities: Readonly<Record<string, number>> }
  /** The bits that are likelier 1 than 0, by name, and how likely each is. */
  | { readonly prediction: readonly string[]; readonly probabilities: Readonly<Record<string, number>> }
  /** In the units of the labels. */
  | { readonly values: Readonly<Record<string, number>> };

/** Turns a row of `Evaluation.answers` into what a person reads. */
export class AnswerSheet {
  readonly names: readonly string[];
  readonly #facts: DataFacts;

  constructor(facts: DataFacts) {
    this.#facts = facts;
    this.names = outputNames(facts);
  }

  read(outputs: Float32Array): Answer {
    const { judged } = this.#facts;
    if (judged === "values") return { values: this.#named(valuesOf(this.#facts, outputs)) };
    const probabilities = this.#named(outputs);
    if (judged === "class")
      return { prediction: this.names[outputs.indexOf(Math.max(...outputs))]!, probabilities };
    return { prediction: this.names.filter((_, index) => outputs[index]! > 0.5), probabilities };
  }

  #named(values: ArrayLike<number>): Record<string, number> {
    return Object.fromEntries(this.names.map((name, index) => [name, rounded(values[index]!)]));
  }
}

/** Seven digits: what a float has. */
function rounded(value: number): number {
  return Number(value.toPrecision(7));
}
