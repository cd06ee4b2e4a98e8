import { describe, expect, it } from "vitest";
import {
  batchesToBar,
  type Comparison,
  placeSection,
  renderMarkdown,
  renderPlain,
  tableOf,
} from "../../../services/compare/compare-report.ts";
import type { Trial } from "../../../services/compare/trial.ts";

function trial(seed: number, exacts: readonly number[], more: Partial<Trial> = {}): Trial {
  const curve = exacts.map((exact, index) => ({
    batch: 100 * (index + 1),
    test: { loss: 1, error: (1 - exact) / 4, exact },
  }));
  return { seed, curve, wallSeconds: 2 * seed, kernels: "wasm", health: [], ...more };
}

const comparison: Comparison = {
  name: "sums",
  command: "npm run unlocked -- compare a.yaml b.yaml",
  date: "2020-01-02T03:04:05Z",
  versions: ["node v1"],
  data: "binary-addition",
  judged: "bits",
  bar: 0.9,
  manner: "in process",
  systems: [
    {
      name: "a",
      batches: 2000,
      trials: [
        trial(1, [0.5, 0.9, 1], { health: [{ layer: 1, error: 0.5, cosine: 0.7 }] }),
        trial(2, [0.5, 0.8, 0.9], { health: [{ layer: 1, error: 0.7, cosine: 0.5 }] }),
      ],
    },
    { name: "b", batches: 2000, trials: [trial(1, [0.1]), trial(2, [0.2], { divergedAt: 99 })] },
  ],
};

describe("a comparison's table", () => {
  const [header, a, b] = tableOf(comparison) as [string[], string[], string[]];
  const cell = (row: string[], column: string) => row[header.indexOf(column)];

  it("gives mean and standard deviation over the seeds, bits and whole sums apart", () => {
    // Of 1 and 0.9: the mean is 0.95, the deviation 0.1 / √2.
    expect(cell(a, "exact sums, %")).toBe("95.00 ± 7.07");
    expect(cell(a, "bits right, %")).toBe("98.75 ± 1.77");
    expect(cell(a, "worst, best seed")).toBe("90.00, 100.00");
  });

  it("counts batches to the bar over the seeds that got there, and says how many did", () => {
    expect(cell(a, "to 90.0 %")).toBe("250");
    expect(cell(b, "to 90.0 %")).toBe("never");
    const third = { ...comparison.systems[0]!, trials: [...comparison.systems[0]!.trials, trial(3, [0.2])] };
    expect(tableOf({ ...comparison, systems: [third] })[1]).toContain("250 (2 of 3)");
    expect(batchesToBar(trial(1, [0.2, 0.95, 0.1]), 0.9)).toBe(200);
  });

  it("gives health by layer where there are generators", () => {
    expect([cell(a, "generator error"), cell(a, "cosine")]).toEqual(["0.60", "0.60"]);
    expect([cell(b, "generator error"), cell(b, "cosine")]).toEqual(["–", "–"]);
  });

  it("hides no run that ran away", () => {
    expect(b.join(" ")).toContain("1 of 2 ran away");
    expect(a.join(" ")).not.toContain("ran away");
  });

  it("speaks of errors where classes are told apart, and of training examples where they were tried", () => {
    const [head, row] = tableOf({
      ...comparison,
      judged: "class",
      systems: [
        {
          name: "c",
          batches: 1,
          trials: [
            {
              ...trial(1, []),
              curve: [{ batch: 1, test: { loss: 1, error: 0.25 } }],
              training: { loss: 0, error: 0.125 },
            },
          ],
        },
      ],
    }) as [string[], string[]];
    expect(row[head.indexOf("error, %")]).toBe("25.00");
    expect(row[head.indexOf("of the training examples, %")]).toBe("87.50");
  });

  it("speaks of the loss of sequences, and of nothing else", () => {
    const tried = (seed: number, loss: number) => ({
      ...trial(seed, []),
      curve: [{ batch: 1, test: { loss, error: 0.5 } }],
    });
    const systems = [{ name: "text", batches: 1, trials: [tried(1, 1.9), tried(2, 2)] }];
    const [head, row] = tableOf({ ...comparison, judged: "class", isSequence: true, systems }) as [
      string[],
      string[],
    ];
    expect(row[head.indexOf("loss, nats a position")]).toBe("1.950 ± 0.071");
    expect(tableOf(comparison)[0]).not.toContain("loss, nats a position");
  });

  it("tells the loss of a text as perplexity and bits, each seed's before the mean", () => {
    const tried = (seed: number, loss: number) => ({
      ...trial(seed, []),
      curve: [{ batch: 1, test: { loss, error: 0.5 } }],
    });
    const systems = [{ name: "text", batches: 1, trials: [tried(1, Math.log(4)), tried(2, Math.log(8))] }];
    const [head, row] = tableOf({ ...comparison, judged: "class", text: "byte", systems }) as [
      string[],
      string[],
    ];
    expect(row[head.indexOf("perplexity")]).toBe("6.00 ± 2.83");
    expect(row[head.indexOf("bits a byte")]).toBe("2.500 ± 0.707");
    expect(tableOf(comparison)[0]).not.toContain("perplexity");
  });

  it("is the same on a terminal and in Markdown", () => {
    const cells = (line: string) => line.split(/ {2,}| ?\| ?/).filter((each) => each !== "");
    const plain = renderPlain(comparison).split("\n").map(cells);
    const markdown = renderMarkdown(comparison, "p/sums.svg");
    const rows = markdown
      .split("\n")
      .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
      .map(cells);
    expect(rows).toEqual(plain);
    expect(markdown).toContain(comparison.command);
    expect(markdown).toContain("(p/sums.svg)");
  });
});

describe("a page", () => {
  it("gets its section again in the same place, and keeps all else", () => {
    const once = placeSection("# Results\n", "sums", "old");
    expect(once).toContain("# Results\n\n<!-- compare:sums -->\nold\n<!-- /compare:sums -->");
    const page = `${once}\nmore words\n`;
    expect(placeSection(page, "sums", "new")).toBe(page.replace("old", "new"));
    expect(placeSection(page, "other", "x")).toContain("old");
  });
});
