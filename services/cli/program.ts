import { Command, CommanderError } from "commander";

import { ConfigError } from "../../shared/config/read-config.ts";
import { RecordError } from "../../shared/record/summary.ts";

import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { type CompareRequest, compare, DEFAULT_BAR } from "../compare/compare.ts";
import type { Edges } from "../train/edges.ts";
import { parseForeign } from "../train/foreign.ts";
import { Refusal } from "../train/refusal.ts";
import { train } from "../train/train.ts";
import type { TrainRequest } from "../train/train-request.ts";
import { addConfig } from "./config-command.ts";
import { addConform } from "./conform-command.ts";
import { addControl } from "./control-command.ts";
import { addDashboard } from "./dashboard-command.ts";
import { addDeploy } from "./deploy-command.ts";
import { addExport } from "./export-command.ts";
import { addLogs } from "./logs-command.ts";
import { portNumber } from "./port-number.ts";
import { addReport } from "./report-command.ts";
import { addRuns } from "./runs-command.ts";
import { addStatus } from "./status-command.ts";
import { addTop } from "./top-command.ts";

/** Understands the arguments and does what they say; the exit code. What the user got wrong is told on stderr. */
export async function runProgram(argv: readonly string[], edges: Edges): Promise<number> {
  let code: number = ExitCode.done;
  const program = createProgram(edges, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.cannotStart;
    if (!(error instanceof Refusal || error instanceof ConfigError || error instanceof RecordError))
      throw error;
    edges.err.write(`${error.message}\n`);
    return ExitCode.cannotStart;
  }
}

function createProgram(edges: Edges, done: (code: number) => void): Command {
  const program = new Command("unlocked")
    .description("Trains a network whose layers are processes.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => edges.out.write(text),
      writeErr: (text) => edges.err.write(text),
    });
  program
    .command("train")
    .description("train a network on this machine, one process for the source and for every layer")
    .argument("[config]", "the experiment (default: configs/mnist.yaml)")
    .option("--set <path=value>", "change one value of the config; may be given many times", collect, [])
    .option("--seed <n>", "the same as --set seed=n")
    .option("--resume [run]", "go on with a run that was stopped: its id or folder, or the latest")
    .option(
      "--from-snapshot [batch]",
      "with --resume: from the newest snapshot of all layers, or the newest up to this batch; what came after it is set aside",
    )
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .option(
      "--foreign <layer=url>",
      "leave this layer to someone else, who listens there (2=ws://host:port); may be given many times",
      collect,
      [],
    )
    .option("--quiet", "say nothing until the end", false)
    .option("--no-dashboard", "no page to watch it on")
    .option("--dashboard-port <port>", "where the page is, or the next free port (default: 7400)", portNumber)
    .option(
      "--trace",
      "write down when each layer did what: trace.json in the run's folder, for Perfetto",
      false,
    )
    .option("--tensorboard", "event files in the run's folder while it is trained, for TensorBoard", false)
    .option("--control", "let the page pause, stop and crash workers (see docs/dashboard.md)", false)
    .action(async (config: string | undefined, options: TrainOptions) => {
      done(await train(requestOf(config, options), edges));
    });
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
  addConfig(program, edges);
  addDeploy(program, edges);
  addRuns(program, edges);
  addStatus(program, edges);
  addDashboard(program, edges, done);
  addControl(program, edges);
  addTop(program, edges);
  addLogs(program, edges);
  addReport(program, edges);
  addExport(program, edges);
  addConform(program, edges, done);
  return program;
}

interface TrainOptions {
  readonly set: readonly string[];
  readonly seed?: string;
  readonly resume?: string | true;
  readonly fromSnapshot?: string | true;
  readonly runs: string;
  readonly quiet: boolean;
  readonly dashboard: boolean;
  readonly dashboardPort?: number;
  readonly trace: boolean;
  readonly tensorboard: boolean;
  readonly control: boolean;
  readonly foreign: readonly string[];
}

function requestOf(config: string | undefined, options: TrainOptions): TrainRequest {
  const {
    set,
    seed,
    resume,
    fromSnapshot,
    runs,
    quiet,
    trace,
    tensorboard,
    dashboard,
    dashboardPort: port,
    control,
    foreign,
  } = options;
  const overrides = seed === undefined ? set : [...set, `seed=${seed}`];
  if (fromSnapshot !== undefined && resume === undefined)
    throw new Refusal("Cannot begin a new run from a snapshot: --from-snapshot goes with --resume");
  if (tensorboard && !dashboard)
    throw new Refusal(
      "Cannot write for TensorBoard without a dashboard: its hub keeps the record of the run",
    );
  return {
    ...{ config, overrides, resume, runs, quiet, isTraced: trace, hasEventFiles: tensorboard },
    fromSnapshot: mostBatch(fromSnapshot),
    foreign: parseForeign(foreign),
    dashboard: dashboard ? { port, control } : undefined,
  };
}

function mostBatch(text: string | true | undefined): number | undefined {
  if (text === undefined || text === true) return text && Number.POSITIVE_INFINITY;
  if (!/^\d{1,15}$/.test(text)) throw new Refusal(`Cannot go back to "${text}": expected a batch`);
  return Number(text);
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

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
