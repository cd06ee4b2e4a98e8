import type { Example } from "../../shared/dni/example.ts";
import type { Head } from "../../shared/dni/head.ts";
import { addTallies, emptyTally, scoreOf } from "../../shared/math/accuracy.ts";
import type { EvaluationFrame, TestResult } from "../../shared/wire/frames.ts";

/** What a head makes of held-out data, part by part. */
export class Judgement {
  readonly #columns: number;
  readonly #units: readonly number[] | undefined;
  #heard = { tally: emptyTally, rows: 0 };

  /** `columns`, `units`: see scoreOf. */
  constructor(columns: number, units: readonly number[] | undefined) {
    this.#columns = columns;
    this.#units = units;
  }

  /** The result after the last part; the first begins anew. */
  add({ part, parts }: EvaluationFrame["evaluation"], head: Head, example: Example): TestResult | undefined {
    const before = part === 0 ? { tally: emptyTally, rows: 0 } : this.#heard;
    const tally = addTallies(before.tally, head.evaluate(example));
    this.#heard = { tally, rows: before.rows + example.rows };
    if (part < parts - 1) return undefined;
    return scoreOf(tally, head.judged, this.#heard.rows, this.#columns, this.#units);
  }
}
