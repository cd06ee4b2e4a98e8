import { Command, CommanderError } from "commander";
import { ConfigError } from "../../shared/config/read-config.ts";
import { RecordError } from "../../shared/record/summary.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { addCerts } from "./certs-command.ts";
import { addCompare } from "./compare-command.ts";
import { addConfig } from "./config-command.ts";
import { addConform } from "./conform-command.ts";
import { addControl } from "./control-command.ts";
import { addDashboard } from "./dashboard-command.ts";
import { addData } from "./data/data-command.ts";
import { addInit } from "./data/init-command.ts";
import { addDeploy } from "./deploy-command.ts";
import { addLogs } from "./logs-command.ts";
import { addExport } from "./model/export-command.ts";
import { addPredict } from "./model/predict-command.ts";
import { addServe } from "./model/serve-command.ts";
import { addReplay } from "./replay-command.ts";
import { addReport } from "./report-command.ts";
import { addRuns } from "./runs-command.ts";
import { addSample } from "./sample-command.ts";
import { addStatus } from "./status-command.ts";
import { addTop } from "./top-command.ts";
import { addTrain } from "./train-command.ts";

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
  addTrain(program, edges, done);
  addCompare(program, edges, done);
  addConfig(program, edges);
  addData(program, edges);
  addInit(program, edges);
  addCerts(program, edges);
  addDeploy(program, edges);
  addRuns(program, edges);
  addStatus(program, edges);
  addDashboard(program, edges, done);
  addControl(program, edges);
  addTop(program, edges);
  addLogs(program, edges);
  addReport(program, edges);
  addReplay(program, edges, done);
  addExport(program, edges);
  addSample(program, edges);
  addPredict(program, edges);
  addServe(program, edges);
  addConform(program, edges, done);
  return program;
}
