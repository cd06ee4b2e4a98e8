import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import type { MetricLine } from "../../shared/record/lines.ts";
import { toCsv } from "../../shared/record/metrics-csv.ts";
import type { Speaker } from "../../shared/record/worker-name.ts";

const lines: MetricLine[] = [
  { kind: "segment", worker: "source", incarnation: 1, at: 0, first: 0, last: 9, spanMs: 12.5 },
  {
    ...{ kind: "segment", worker: "layer1", incarnation: 2, at: 1500, first: 10, last: 19, spanMs: 7 },
    ...{ generatorError: 0.25, cosine: 0.5, staleness: 4, targets: 10 },
  },
  {
    ...{ kind: "evaluation", worker: "layer3", incarnation: 1, at: 1500, batch: 20 },
    test: { loss: 0.5, error: 0.125 },
  },
];

test("Python's csv reads the table back", () => {
  const program = "import csv,json,sys; print(json.dumps(list(csv.DictReader(sys.stdin))))";
  const text = execFileSync("python3", ["-c", program], { input: toCsv(lines), encoding: "utf8" });
  const rows: Record<string, string>[] = JSON.parse(text);
  expect(rows).toHaveLength(3);
  expect(rows[0]).toMatchObject({
    kind: "segment",
    worker: "source",
    spanMs: "12.5",
    loss: "",
    testLoss: "",
  });
  expect(rows[1]).toMatchObject({ at: "1970-01-01 00:00:01.500", generatorError: "0.25", targets: "10" });
  expect(rows[2]).toMatchObject({
    first: "20",
    last: "20",
    testLoss: "0.5",
    testError: "0.125",
    testExact: "",
  });
});

test("a comma or a quote in a name stays in its cell", () => {
  const row = toCsv([{ ...lines[0]!, worker: 'a,"b' as Speaker }]).split("\r\n")[1];
  expect(row).toMatch(/^segment,"a,""b",1,/);
});
