import { hubCommand } from "../train/dashboard.ts";
import { edgesOf } from "../train/edges.ts";
import { nodeCommand } from "../train/worker-plan.ts";
import { runProgram } from "./program.ts";

// Until there is an outcome: a process that ends without one has failed.
process.exitCode = 1;
const edges = edgesOf(process, nodeCommand(process.execPath), hubCommand(process.execPath));
// A bundle's modules cannot wait at their top.
void runProgram(process.argv.slice(2), edges).then((code) => {
  process.exitCode = code;
});
