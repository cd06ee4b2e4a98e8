import type { Batch } from "../data-set.ts";
import type { Examples } from "../examples.ts";
import { RowsSet } from "../rows-set.ts";
import { type Column, widthOf, writeCell } from "./column.ts";
import { type Learnt, writeLabels } from "./learn-labels.ts";
import type { Table } from "./read-table.ts";

/** Where inputs and labels stand in the rows of a table. */
export interface Places {
  readonly inputs: readonly number[];
  readonly labels: readonly number[];
}

/** A table in memory, as what the network takes. */
export class TableSet extends RowsSet {
  readonly #inputs: Float32Array;
  readonly #labels: Uint8Array | Float32Array;
  readonly #inputWidth: number;
  readonly #labelWidth: number;

  /** Every cell was checked against `columns` and `learnt`. */
  constructor(table: Table, places: Places, columns: readonly Column[], learnt: Learnt, examples: Examples) {
    super(1, examples);
    const rows = table.rows.length;
    this.#inputWidth = columns.reduce((sum, column) => sum + widthOf(column), 0);
    this.#labelWidth = learnt.task === "classes" ? 1 : learnt.labels.length;
    this.#inputs = new Float32Array(rows * this.#inputWidth);
    const labels = rows * this.#labelWidth;
    this.#labels = learnt.task === "regression" ? new Float32Array(labels) : new Uint8Array(labels);
    table.rows.forEach((cells, row) => {
      let at = row * this.#inputWidth;
      for (const [index, column] of columns.entries()) {
        writeCell(column, cells[places.inputs[index]!], this.#inputs, at);
        at += widthOf(column);
      }
      const own = places.labels.map((column) => cells[column]!);
      writeLabels(learnt, own, this.#labels, row * this.#labelWidth);
    });
  }

  protected gather(rows: readonly number[]): Batch {
    const [inputs, labels] = [this.#inputWidth, this.#labelWidth];
    const input = new Float32Array(rows.length * inputs);
    const own =
      this.#labels instanceof Float32Array
        ? new Float32Array(rows.length * labels)
        : new Uint8Array(rows.length * labels);
    rows.forEach((from, row) => {
      input.set(this.#inputs.subarray(from * inputs, (from + 1) * inputs), row * inputs);
      own.set(this.#labels.subarray(from * labels, (from + 1) * labels), row * labels);
    });
    return { rows: rows.length, input, labels: own };
  }
}
