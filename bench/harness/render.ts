import { type Bar, type Cell, isMet, type Report, type Table } from "./report.ts";
import type { Spread } from "./statistics.ts";

/** Lays each report into the page between its markers; one whose markers are missing goes to the end. */
export function renderPage(page: string, reports: readonly Report[]): string {
  return reports.reduce((text, report) => {
    const [begin, end] = markers(report.name);
    const section = `${begin}\n${renderReport(report)}\n${end}`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0) return `${text.trimEnd()}\n\n${section}\n`;
    return text.slice(0, from) + section + text.slice(to + end.length);
  }, page);
}

function markers(name: string): [string, string] {
  return [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
}

export function renderReport(report: Report): string {
  const { title, command, date, machine, versions, load, tables, notes } = report;
  const busy = load.map((value) => value.toFixed(1)).join(" → ");
  const header = `\`${command}\` · ${date.slice(0, 10)} · ${machine} · ${versions.join(", ")} · load ${busy}`;
  const parts = [`## ${title}`, header, ...tables.map(renderTable)];
  if (notes.length > 0) parts.push(notes.map((note) => `* ${note}`).join("\n"));
  return parts.join("\n\n");
}

function renderTable({ title, columns, rows, bars, plot }: Table): string {
  const lines = [columns, columns.map((_, index) => (index === 0 ? "---" : "--:")), ...rows];
  const parts = [`**${title}**`, lines.map(renderRow).join("\n")];
  if (bars.length > 0) parts.push(bars.map((bar) => `- ${renderBar(bar)}`).join("\n"));
  if (plot) parts.push(`![${title}](performance/${plot.file})`);
  return parts.join("\n\n");
}

/** "Bar: throughput against bare TCP ≥ 0.5×; measured 0.61×: **met**" */
export function renderBar(bar: Bar): string {
  const { of, measured, unit, least, most } = bar;
  const bounds = [
    least === undefined ? "" : `≥ ${least}${unit}`,
    most === undefined ? "" : `≤ ${most}${unit}`,
  ];
  const bound = bounds.filter((each) => each !== "").join(" and ");
  const found = Number.isFinite(measured) ? `${renderNumber(measured)}${unit}` : "nothing";
  return `Bar: ${of} ${bound}; measured ${found}: **${isMet(bar) ? "met" : "not met"}**`;
}

function renderRow(cells: readonly Cell[]): string {
  const texts = cells.map((cell) => (typeof cell === "number" ? renderNumber(cell) : cell));
  return `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** Three digits, more where they are whole. */
export function renderNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** "0.61× (0.58–0.64)" */
export function renderSpread({ median, least, most }: Spread, unit: string): string {
  return `${renderNumber(median)}${unit} (${renderNumber(least)}–${renderNumber(most)})`;
}
