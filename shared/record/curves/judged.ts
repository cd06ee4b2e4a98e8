import type { TestResult } from "../../wire/frames.ts";
import { figure, isKnown, percent, UNKNOWN } from "../numbers.ts";

/** What a test found of one class or bit, or of one value. */
type Judgement =
  | { readonly name: string; readonly precision: number; readonly recall: number; readonly examples: number }
  | { readonly name: string; readonly rmse: number; readonly r2: number };

/** What is called good in a test, and how good: of classes and bits the accuracy, of values R². */
export function headline(test: TestResult | undefined): { readonly name: string; readonly value: string } {
  if (test?.r2) return { name: "test R²", value: (1 - test.error).toFixed(3) };
  return { name: "test accuracy", value: percent(test && 1 - test.error) };
}

/** "accuracy 98.29 %", "accuracy 99.10 % of bits, 94.00 % exact" or "R² 0.913, RMSE 2.41". */
export function testWords({ error, exact, r2, rmse }: TestResult): string {
  if (r2) return `R² ${(1 - error).toFixed(3)}${rmse?.length === 1 ? `, RMSE ${figure(rmse[0])}` : ""}`;
  if (exact === undefined) return `accuracy ${percent(1 - error)}`;
  return `accuracy ${percent(1 - error)} of bits, ${percent(exact)} exact`;
}

/** Class by class, bit by bit or value by value, where the test says it. `names`: in order; numbers where there are none. */
function judgements({ confusion, bits, rmse, r2 }: TestResult, names: readonly string[] = []): Judgement[] {
  const nameOf = (index: number) => names[index] ?? String(index);
  if (rmse && r2)
    return rmse.map((each, index) => ({ name: nameOf(index), rmse: each, r2: r2[index] ?? Number.NaN }));
  if (bits)
    return Array.from({ length: bits.length / 3 }, (_, index) => {
      const [right = 0, wrong = 0, missed = 0] = bits.slice(3 * index, 3 * index + 3);
      return judgementOf(nameOf(index), right, right + wrong, right + missed);
    });
  const rows = rowsOf(confusion);
  return rows.map((row, index) => {
    const said = rows.reduce((sum, other) => sum + other[index]!, 0);
    return judgementOf(nameOf(index), row[index]!, said, total(row));
  });
}

/** Of each true class how many were taken for each class; nothing where the test does not say. */
function rowsOf(confusion: readonly number[] | undefined): number[][] {
  if (!confusion) return [];
  const classes = Math.round(Math.sqrt(confusion.length));
  return Array.from({ length: classes }, (_, row) => confusion.slice(row * classes, (row + 1) * classes));
}

/** Tables of a test, a header first: class by class, and which were taken for which. Nothing where it says no more. */
export function judgementTables(test: TestResult, names: readonly string[] = []): string[][][] {
  const each = judgements(test, names);
  if (each.length === 0) return [];
  const kind = test.rmse ? "value" : test.bits ? "label" : "class";
  const columns = test.rmse ? ["R²", "RMSE"] : ["precision", "recall", "held out"];
  const table = [[kind, ...columns], ...each.map((one) => [one.name, ...wordsOf(one)])];
  const confusion = rowsOf(test.confusion).map((row, index) => [each[index]!.name, ...row.map(String)]);
  if (confusion.length === 0) return [table];
  return [table, [["true class, taken for", ...each.map(({ name }) => name)], ...confusion]];
}

function wordsOf(one: Judgement): string[] {
  if ("rmse" in one) return [isKnown(one.r2) ? one.r2.toFixed(3) : UNKNOWN, figure(one.rmse)];
  return [percent(one.precision), percent(one.recall), String(one.examples)];
}

/** NaN where nothing was said to be so, or nothing was. */
function judgementOf(name: string, right: number, said: number, examples: number): Judgement {
  return { name, precision: right / said, recall: right / examples, examples };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
