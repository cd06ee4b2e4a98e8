import type { Command } from "commander";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { configHash, hashedJson } from "../../shared/config/hash.ts";
import { prepareConfig } from "../../shared/config/read-config.ts";
import type { Edges } from "../train/edges.ts";

interface Options {
  readonly set: readonly string[];
  readonly json: boolean;
  readonly hash: boolean;
}

/** `config <config>`: what a config comes to, and what its workers must agree on. */
export function addConfig(program: Command, { out, err }: Edges): void {
  program
    .command("config")
    .description("print a config with nothing left to default, or what neighbours compare of it")
    .argument("<config>", "the experiment")
    .option("--set <path=value>", "change one value of the config; may be given many times", collect, [])
    .option("--json", "the JSON text that is hashed, on one line", false)
    .option("--hash", "its SHA-256, on a line of its own: what neighbours compare", false)
    .action(async (file: string, { set, json, hash }: Options) => {
      const { config, warnings } = await prepareConfig(file, set);
      for (const warning of warnings) err.write(`${warning}\n`);
      if (!json && !hash) out.write(canonicalYaml(config));
      if (json) out.write(`${hashedJson(config)}\n`);
      if (hash) out.write(`${configHash(config)}\n`);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
