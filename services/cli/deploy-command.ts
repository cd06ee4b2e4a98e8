import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument, type Command } from "commander";
import type { DeployRequest } from "../../deploy/network.ts";
import { targets } from "../../deploy/targets.ts";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { prepareConfig } from "../../shared/config/read-config.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";

type Options = Omit<DeployRequest, "configPath" | "configText"> & { readonly set: readonly string[] };

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** `deploy <target> <config>`, and `compose <config>` for short. */
export function addDeploy(program: Command, { out }: Edges): void {
  const deploy = async (target: string, config: string, options: Options) => {
    out.write(await textOf(target, config, options));
  };
  withOptions(
    program
      .command("deploy")
      .description("print a deployment of a network, a container for each worker (see docs/deploy.md)")
      .addArgument(new Argument("<target>").choices(Object.keys(targets)))
      .argument("<config>", "the experiment, one of the project's configs"),
  ).action(deploy);
  withOptions(
    program
      .command("compose")
      .description("print a docker-compose.yml for a network: deploy compose, for short")
      .argument("<config>", "the experiment, one of the project's configs"),
  ).action((config: string, options: Options) => deploy("compose", config, options));
}

function withOptions(command: Command): Command {
  return command
    .option("--set <path=value>", "change one value of the config; may be given many times", collect, [])
    .option("--secret-file <file>", "what workers prove themselves by to each other (see docs/security.md)")
    .option(
      "--store <s3://bucket/prefix>",
      "where checkpoints and the record go too, so that a node can be lost",
    )
    .option("--store-file <file>", "how to reach the store: an AWS file of credentials, region and endpoint")
    .option("--certs <folder>", "encrypt the links, with what `unlocked certs` has put there")
    .option("--image <name>", "the image of all workers");
}

/** `file`: from the working directory. Throws a Refusal or a ConfigError. */
async function textOf(target: string, file: string, options: Options): Promise<string> {
  const { store, storeFile } = options;
  if (store !== undefined && !/^s3:\/\/[^/]+/.test(store))
    throw new Refusal(`Cannot deploy: --store is ${store}, expected s3://bucket/prefix`);
  if (storeFile !== undefined && store === undefined)
    throw new Refusal("Cannot deploy: --store-file says how to reach a store, and there is no --store");
  const { config } = await prepareConfig(file, options.set);
  const configPath = relative(PROJECT, file).split(sep).join("/");
  try {
    return targets[target]!(config, { ...options, configPath, configText: canonicalYaml(config) });
  } catch (error) {
    throw new Refusal((error as Error).message, { cause: error });
  }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
