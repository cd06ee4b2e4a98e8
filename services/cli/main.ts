import { hubCommand } from "./dashboard.ts";
import { edgesOf } from "./edges.ts";
import { runProgram } from "./program.ts";
import { nodeCommand } from "./worker-plan.ts";

// Until there is an outcome: who ends without one has failed.
process.exitCode = 1;
const edges = edgesOf(process, nodeCommand(process.execPath), hubCommand(process.execPath));
// A bundle's modules cannot wait at their top.
void runProgram(process.argv.slice(2), edges).then((code) => {
  process.exitCode = code;
});
