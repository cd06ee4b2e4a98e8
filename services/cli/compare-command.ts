import type { Command } from "commander";
import { type CompareRequest, compare, DEFAULT_BAR } from "../compare/compare.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { collect } from "./arguments.ts";

export function addCompare(program: Command, edges: Edges, done: (code: number) => void): void {
  program
    .command("compare")
    .description("train several networks on the same data and seeds, and say how they did in one table")
    .argument("<configs...>", "the experiments")
    .option("--seeds <n>", "how many times each is trained, with the seeds 1 to n", "3")
    .option("--set <path=value>", "change one value in every config; may be given many times", collect, [])
    .option("--services", "every layer its own process (default: all in this one)", false)
    .option("--true-gradient", "hold guesses also against the gradient of the whole network", false)
    .option("--bar <share>", "share of held-out examples right that counts as learnt", String(DEFAULT_BAR))
    .option(
      "--report <page>",
      "also a section of this Markdown page, with JSON and SVG in the folder beside it",
    )
    .option("--name <name>", "of that section (default: the folder of the configs)")
    .option("--runs <folder>", "where --services keeps the records of runs", "runs")
    .action(async (configs: readonly string[], options: CompareOptions) => {
      done(await compare(comparisonOf(configs, options), edges));
    });
}

interface CompareOptions {
  readonly seeds: string;
  readonly set: readonly string[];
  readonly services: boolean;
  readonly trueGradient: boolean;
  readonly bar: string;
  readonly report?: string;
  readonly name?: string;
  readonly runs: string;
}

/** Throws a Refusal at a number that is none. */
function comparisonOf(files: readonly string[], options: CompareOptions): CompareRequest {
  const { set, services, trueGradient, report, name, runs } = options;
  const seeds = Number(options.seeds);
  const bar = Number(options.bar);
  if (!(Number.isInteger(seeds) && seeds >= 1))
    throw new Refusal(`Cannot compare: --seeds is ${options.seeds}, expected a whole number from 1`);
  if (!(bar > 0 && bar <= 1))
    throw new Refusal(`Cannot compare: --bar is ${options.bar}, expected a share above 0, at most 1`);
  if (name !== undefined && !/^[\w.-]+$/.test(name))
    throw new Refusal(
      `Cannot compare: --name is ${name}, expected letters, digits, dots, dashes or underscores`,
    );
  if (trueGradient && services)
    throw new Refusal("Cannot compare: --true-gradient needs all layers in one process, without --services");
  return { files, seeds, overrides: set, services, trueGradient, bar, report, name, runs };
}
