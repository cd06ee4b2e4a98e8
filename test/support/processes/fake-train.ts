// The command line with workers that train nothing. FAKES says how each behaves: {"layer1": "crashes once"}.
import { fileURLToPath } from "node:url";
import { runProgram } from "../../../services/cli/program.ts";
import { edgesOf } from "../../../services/train/edges.ts";
import { type WorkerPlan, workerArguments } from "../../../services/train/worker-plan.ts";

const fakes: Record<string, string> = JSON.parse(process.env.FAKES ?? "{}");
const program = fileURLToPath(new URL("fake-worker.mjs", import.meta.url));

function fakeCommand(plan: WorkerPlan): string[] {
  return [process.execPath, program, plan.name, fakes[plan.name] ?? "trains", ...workerArguments(plan)];
}

// A bug of ours, on demand.
process.on("SIGUSR2", () => {
  throw new Error("a bug");
});
process.exitCode = await runProgram(process.argv.slice(2), edgesOf(process, fakeCommand));
