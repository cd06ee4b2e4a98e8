import type { Command } from "commander";
import type { Edges } from "../train/edges.ts";
import { parseForeign } from "../train/foreign.ts";
import { Refusal } from "../train/refusal.ts";
import { train } from "../train/train.ts";
import type { TrainRequest } from "../train/train-request.ts";
import { collect } from "./arguments.ts";
import { portNumber } from "./port-number.ts";

export function addTrain(program: Command, edges: Edges, done: (code: number) => void): void {
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
      "leave this layer to a program of yours that listens there (2=ws://host:port); may be given many times",
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
    .option("--control", "let the page pause, stop and kill workers (see docs/dashboard.md)", false)
    .action(async (config: string | undefined, options: TrainOptions) => {
      done(await train(requestOf(config, options), edges));
    });
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
