import { hubCommand } from "./dashboard.ts";
import { edgesOf } from "./edges.ts";
import { runProgram } from "./program.ts";
import { nodeCommand } from "./worker-plan.ts";

process.exitCode = await runProgram(
  process.argv.slice(2),
  edgesOf(process, nodeCommand(process.execPath), hubCommand(process.execPath)),
);
