import type { MetricLine } from "./lines.ts";

const COLUMNS = [
  ...["kind", "worker", "incarnation", "at", "first", "last", "spanMs"],
  ...["loss", "generatorError", "cosine", "staleness", "targets", "testLoss", "testError", "testExact"],
] as const;
type Column = (typeof COLUMNS)[number];

const CSV_HEADER = COLUMNS.join(",");

/**
 * One line of the record as a row, without its end (RFC 4180; UTC times as spreadsheets read them; what is not known is
 * empty). An evaluation's `first` and `last` are both the batch it was made before.
 */
function csvRow(line: MetricLine): string {
  const cells: Partial<Record<Column, string | number | undefined>> =
    line.kind === "segment"
      ? { ...line, at: time(line.at) }
      : {
          ...{ kind: line.kind, worker: line.worker, incarnation: line.incarnation, at: time(line.at) },
          ...{ first: line.batch, last: line.batch },
          ...{ testLoss: line.test.loss, testError: line.test.error, testExact: line.test.exact },
        };
  return COLUMNS.map((column) => cell(cells[column])).join(",");
}

export function toCsv(lines: readonly MetricLine[]): string {
  return `${[CSV_HEADER, ...lines.map(csvRow)].join("\r\n")}\r\n`;
}

function time(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}

function cell(value: string | number | undefined): string {
  if (value === undefined) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
