import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Finding } from "./finding.ts";

export interface Recorded {
  readonly name: string;
  readonly size: "short" | "long";
  readonly date: string;
  readonly findings: readonly Finding[];
}

const JSON_FILE = fileURLToPath(new URL("../../docs/chaos.json", import.meta.url));
const PAGE = fileURLToPath(new URL("../../docs/failures.md", import.meta.url));
const BEGIN = "<!-- chaos: begin -->";
const END = "<!-- chaos: end -->";

/** The newest findings of each scenario, in JSON and as a table between the markers of the page. */
export function record(recorded: Recorded): void {
  const all: Record<string, Recorded> = existsSync(JSON_FILE)
    ? JSON.parse(readFileSync(JSON_FILE, "utf8"))
    : {};
  all[recorded.name] = recorded;
  writeFileSync(JSON_FILE, `${JSON.stringify(all, null, 2)}\n`);
  if (existsSync(PAGE)) writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8"), Object.values(all)));
}

/** Throws unless the page has both markers. */
export function withTable(page: string, all: readonly Recorded[]): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`Cannot write the table: ${BEGIN} … ${END} is not there`);
  return `${page.slice(0, from)}${BEGIN}\n\n${tableOf(all)}\n\n${page.slice(to)}`;
}

function tableOf(all: readonly Recorded[]): string {
  const rows = all.flatMap(({ name, size, date, findings }) =>
    findings.map(({ claim, bar, measured, met }) => {
      return [name, claim, measured, bar, bar === "—" ? "" : met ? "yes" : "**no**", `${size}, ${date}`];
    }),
  );
  const head = ["scenario", "claim", "measured", "bar", "met", "run"];
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map(escaped).join(" | ")} |`)
    .join("\n");
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("\n", " ");
}
