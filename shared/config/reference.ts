import * as z from "zod";
import { configShape } from "./schema.ts";

/** What a JSON Schema made from the config's schema says of one entry; `expected` comes from our own `meta`. */
interface Entry {
  readonly description?: string;
  readonly expected?: string;
  readonly const?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Entry>>;
  readonly required?: readonly string[];
  readonly items?: Entry;
  readonly anyOf?: readonly Entry[];
  readonly oneOf?: readonly Entry[];
}

/** docs/config.md: every key of a config file, what may stand there and what stands there otherwise. */
export function configReference(): string {
  const schema = z.toJSONSchema(z.strictObject(configShape()), { io: "input" }) as Entry;
  const top = rowsOf(schema, "").filter(({ entry }) => !isSection(entry));
  const sections = Object.entries(schema.properties ?? {}).filter(([, entry]) => isSection(entry));
  return [preface, table(top), ...sections.map(([key, entry]) => section(key, entry)), closing].join("\n\n");
}

interface Row {
  readonly key: string;
  readonly entry: Entry;
  readonly isRequired: boolean;
}

function section(key: string, entry: Entry): string {
  const about = `## ${key}\n\n${entry.description}`;
  const variants = entry.oneOf ?? entry.items?.oneOf ?? [entry.items ?? entry];
  const prefix = entry.items ? `${key}.0` : key;
  return [about, ...variants.map((variant) => table(rowsOf(variant, prefix)))].join("\n\n");
}

function isSection({ properties, items, oneOf }: Entry): boolean {
  return (properties ?? items?.properties ?? items?.oneOf ?? oneOf) !== undefined;
}

/** The entries of a map, its inner maps' entries in their place, with the whole path as key. */
function rowsOf({ properties = {}, required = [] }: Entry, prefix: string): Row[] {
  return Object.entries(properties).flatMap(([name, entry]) => {
    const key = prefix ? `${prefix}.${name}` : name;
    if (prefix && entry.properties) return rowsOf(entry, key);
    const inner = entry.anyOf?.find((option) => option.properties);
    return [{ key, entry, isRequired: required.includes(name) }, ...(inner ? rowsOf(inner, key) : [])];
  });
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ key, entry, isRequired }) => {
    const expected = entry.expected ?? entry.const ?? "";
    return `| \`${key}\` | ${expected} | ${defaultOf(entry, isRequired)} | ${entry.description ?? ""} |`;
  });
  return ["| key | expected | default | meaning |", "|---|---|---|---|", ...lines].join("\n");
}

function defaultOf(entry: Entry, isRequired: boolean): string {
  if (entry.default !== undefined) return `\`${entry.default}\``;
  return isRequired ? "required" : "";
}

const preface = `# The config file

One YAML file is one experiment: the network, how it learns, from what, and for how long. Those in \`configs/\` are
short, for most of what follows has a default. This page is made from the schema: \`npm run docs:config\`.

A smallest one:

\`\`\`yaml
data: { set: two-rings }
layers: [{ outputs: 8 }, { outputs: 2 }]
run: { batches: 1000 }
\`\`\`

Any entry can be replaced on the command line by its path, the value in YAML, as often as needed:
\`--set learning.layer.rate=0.01 --set layers.0.outputs=128 --set delivery.schedule={staleness: 4}\` (in quotes where your
shell wants them). Setting \`run.batches\` drops the file's \`run.epochs\`, and the other way round.

All mistakes are listed at once, each with its place; an override is its own place:

\`\`\`
configs/x.yaml:12:5: learning.layer.rate is "fast": expected a number above 0
--set layers.3.outputs: layers.3.outputs is 9: the head gives 9 outputs, the labels of mnist are 10 classes
\`\`\`

What is odd but possible (small batches under batch normalisation, a staleness budget below the window) is a warning.`;

const closing = `## What neighbours must agree on

Two processes work together only if they run the same config. They compare a SHA-256 of all of it but \`name\`, \`link\`,
\`compute\` and \`run.checkpointEvery\`, which may differ from one machine to the next.
`;
