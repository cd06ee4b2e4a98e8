import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Command as Program } from "commander";
import { dashboardOf } from "../../shared/record/ask-hub.ts";
import { COMMANDS, type ControlRequest } from "../../shared/record/hub-api.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { findRun } from "./find-run.ts";

const HELP = `
A worker that is told to stop saves and stays away until it is told to start; its neighbours hold meanwhile.`;

export function addControl(program: Program, edges: Edges): void {
  program
    .command("control")
    .description("tell a worker of a run that was started with --control what to do")
    .addHelpText("after", HELP)
    .argument("<worker>", `such as layer2; or "run", to stop it all`)
    .argument("<command>", COMMANDS.join(", "))
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .action(
      async (worker: string, command: string, wanted: string | undefined, { runs }: { runs: string }) => {
        const folder = findRun(runs, wanted);
        await tell(folder, { worker, command } as ControlRequest);
        edges.out.write(`told ${worker} of ${basename(resolve(folder))}: ${command}\n`);
      },
    );
}

/** As the page does. Rejects with a Refusal that says why the hub would not. */
async function tell(folder: string, request: ControlRequest): Promise<void> {
  const refusal = (why: string) => new Refusal(`Cannot tell ${request.worker} to ${request.command}: ${why}`);
  const hub = dashboardOf(folder);
  if (hub === undefined) throw refusal(`no hub watches ${folder}`);
  const answer = await fetch(`${hub}/api/control`, {
    method: "POST",
    headers: { authorization: `Bearer ${tokenOf(folder)}`, "content-type": "application/json" },
    body: JSON.stringify(request),
  }).catch((error: Error) => {
    throw refusal(`no answer from ${hub} (${error.message})`);
  });
  if (answer.ok) return;
  const { error } = (await answer.json()) as { readonly error: string };
  throw refusal(error);
}

/** Nothing where there is none: the hub says then why it is refused. */
function tokenOf(folder: string): string {
  try {
    return readFileSync(join(folder, "control-token"), "utf8").trim();
  } catch {
    return "none";
  }
}
