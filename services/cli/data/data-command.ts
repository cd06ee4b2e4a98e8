import type { Command } from "commander";
import { dataFacts } from "../../../shared/config/data-facts.ts";
import { prepareConfig } from "../../../shared/config/read-config.ts";
import { openDataSet } from "../../../shared/data/kinds.ts";
import type { Edges } from "../../train/edges.ts";
import { Refusal } from "../../train/refusal.ts";
import { collect } from "../arguments.ts";
import { dataView } from "./data-view.ts";

/** `data <config>`: what was understood of its data, before anything trains. */
export function addData(program: Command, { out, err }: Edges): void {
  program
    .command("data")
    .description("say what was understood of a config's data: rows, columns, classes, ten examples, warnings")
    .argument("<config>", "the experiment")
    .option("--set <path=value>", "change one value of the config; may be given many times", collect, [])
    .action(async (file: string, { set }: { readonly set: readonly string[] }) => {
      const { config, warnings } = await prepareConfig(file, set);
      for (const warning of warnings) err.write(`${warning}\n`);
      const data = await openDataSet(config.data).catch((cause: Error) => {
        throw new Refusal(cause.message, { cause });
      });
      const { path = config.data.set } = config.data;
      out.write(`${dataView(path, dataFacts(config.data), data, config.seed).join("\n")}\n`);
    });
}
