import { describe, expect, it } from "vitest";
import { renderBar, renderNumber, renderPage, renderReport } from "../../bench/harness/render.ts";
import { isMet, type Report } from "../../bench/harness/report.ts";

function report(name: string, measured: number): Report {
  const bar = { of: "speed", measured, unit: "×", least: 0.5 };
  return {
    name,
    title: `About ${name}`,
    command: `npm run bench -- ${name}`,
    date: "2026-11-23T10:00:00.000Z",
    machine: "2 × some processor",
    versions: ["node v20"],
    load: [0.5, 2],
    tables: [{ title: "Rates", columns: ["what", "rate"], rows: [["a|b", 1234.5]], bars: [bar] }],
    notes: ["measured with care"],
  };
}

describe("a bar", () => {
  it("is met from its bound on, and never by what is no number", () => {
    const bar = { of: "speed", unit: "×", least: 0.5, most: 2 };
    expect([0.49, 0.5, 2, 2.01, Number.NaN].map((measured) => isMet({ ...bar, measured }))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  it("says both numbers and the verdict", () => {
    const bar = { of: "start-up", measured: 2.61, unit: " s", most: 2.5 };
    expect(renderBar(bar)).toBe("Bar: start-up ≤ 2.5 s; measured 2.61 s: **not met**");
    expect(renderBar({ ...bar, measured: Number.NaN })).toContain("measured nothing: **not met**");
  });
});

describe("the page", () => {
  it("shows where, when and how, the table and the bar", () => {
    const text = renderReport(report("link", 0.612345));
    expect(text).toContain(
      "`npm run bench -- link` · 2026-11-23 · 2 × some processor · node v20 · load 0.5 → 2.0",
    );
    expect(text).toContain("| a\\|b | 1,235 |");
    expect(text).toContain("measured 0.612×: **met**");
  });

  it("takes a report in where its markers are, and leaves everything else alone", () => {
    const page = "# Title\n\n<!-- bench:link -->\nold\n<!-- /bench:link -->\n\nWords.\n";
    const rendered = renderPage(page, [report("link", 1)]);
    expect(rendered).toMatch(
      /^# Title\n\n<!-- bench:link -->\n## About link\n[\s\S]*<!-- \/bench:link -->\n\nWords\.\n$/,
    );
    expect(rendered).not.toContain("old");
    expect(renderPage(rendered, [report("link", 1)])).toBe(rendered);
  });

  it("adds a report without markers to the end, once", () => {
    const once = renderPage("# Title\n", [report("depth", 1)]);
    expect(once).toMatch(/^# Title\n\n<!-- bench:depth -->/);
    expect(renderPage(once, [report("depth", 1)])).toBe(once);
  });

  it("writes numbers with three digits, or whole", () => {
    expect([0.0123456, 1.5, 42, 1234567, Number.NaN].map(renderNumber)).toEqual([
      "0.0123",
      "1.5",
      "42",
      "1,234,567",
      "–",
    ]);
  });
});
