import { statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import { type DataFacts, dataFacts } from "../../../shared/config/data-facts.ts";
import { lookedUp } from "../../../shared/config/sections/data.ts";
import type { DataConfig } from "../../../shared/data/data-set-kind.ts";
import type { Edges } from "../../train/edges.ts";
import { Refusal } from "../../train/refusal.ts";
import { collect } from "../arguments.ts";

interface Options {
  readonly label: readonly string[];
  readonly out?: string;
}

/** `init <file>`: a config for data of the user's own, to begin with. */
export function addInit(program: Command, { out }: Edges): void {
  program
    .command("init")
    .description("write a config for a CSV or TSV file, or for a folder of pictures")
    .argument("<data>", "data.csv, data.tsv, or a folder with a folder of pictures for each class")
    .option("--label <column>", "what to learn; may be given many times", collect, [])
    .option("--out <file>", "where to write it (default: the name of the data, .yaml)")
    .action(async (path: string, { label, out: file }: Options) => {
      const written = dataOf(path, label);
      const facts = dataFacts(await lookAt(written));
      const name = file ?? `${basename(path).replace(/(\.(csv|tsv))?(\.gz)?$/i, "")}.yaml`;
      write(name, configText(written, facts));
      out.write(`${name} is written. See what was understood, and train:\n`);
      out.write(`  npm run unlocked -- data ${name}\n  npm start -- ${name}\n`);
    });
}

type Written = DataConfig & { readonly path: string };

function dataOf(path: string, label: readonly string[]): Written {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new Refusal(`Cannot read ${path}: no such file`);
  if (found.isDirectory()) {
    if (label.length > 0)
      throw new Refusal("Cannot take --label for pictures: their folders are the classes");
    return { set: "images", path };
  }
  const [, ending] = /\.(csv|tsv)(\.gz)?$/i.exec(path) ?? [];
  if (ending === undefined)
    throw new Refusal(`Cannot write a config for ${path}: expected .csv, .tsv, or a folder of pictures`);
  const [first, ...others] = label;
  if (first === undefined)
    throw new Refusal(`Cannot write a config for ${path}: --label says which column to learn`);
  return { set: ending.toLowerCase(), path, label: others.length > 0 ? label : first };
}

/** With what the files have. Throws a Refusal that names the place. */
async function lookAt(data: Written): Promise<DataConfig> {
  try {
    const { data: found } = (await lookedUp({ data }, [])) as { readonly data: DataConfig };
    // What a kind leaves to its defaults stands in the facts of pictures.
    return { height: 32, width: 32, colour: "rgb", fit: "crop", heldOut: 0.2, ...found };
  } catch (cause) {
    throw new Refusal((cause as Error).message, { cause });
  }
}

/** Not over anything that is there. */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Refusal(`Cannot write ${file}: ${code === "EEXIST" ? "it is there already" : code}`, { cause });
  }
}

function configText(data: Written, facts: DataFacts): string {
  const { inputWidth, labelWidth, judged, trainingExamples: rows = 0 } = facts;
  const batchSize = rows >= 128 ? 64 : Math.max(2, Math.ceil(rows / 2));
  const perEpoch = Math.ceil(rows / batchSize);
  const epochs = Math.min(200, Math.max(5, Math.ceil(1500 / perEpoch)));
  const hidden = rows < 500 ? 32 : 128;
  const what = { class: "classes", bits: "labels of 0 and 1", values: "values (regression)" }[judged];
  return [
    `# ${data.path}: ${rows} rows to train on, ${inputWidth} inputs, ${labelWidth} ${what}.`,
    "# Train it with: npm start -- <this file>. All entries: docs/config.md; of data: docs/data.md.",
    stringify({ data }).trimEnd(),
    "  # heldOut: 0.2          # the share of rows that it is tested on",
    ...(data.set === "images" ? ["  # height: 32             # what pictures are scaled to; and width"] : []),
    ...(data.set === "images" ? [] : ["  # ignore: [id]           # columns that are no inputs"]),
    "",
    "# Every layer is a process of its own; the last gives the labels.",
    "layers:",
    `  - { outputs: ${hidden} }`,
    `  - { outputs: ${hidden} }`,
    `  - { outputs: ${labelWidth} }`,
    "",
    "# learning: { method: backprop }    # to compare: every layer waits for the true gradient",
    "# learning: { method: frozen }      # the control: only the last layer learns",
    "",
    "run:",
    `  epochs: ${epochs}`,
    `  batchSize: ${batchSize}`,
    "",
  ].join("\n");
}
