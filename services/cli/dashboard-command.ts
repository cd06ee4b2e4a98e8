import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { dashboardPorts } from "../train/dashboard.ts";
import type { Edges } from "../train/edges.ts";
import { reservePorts } from "../train/ports.ts";
import { Refusal } from "../train/refusal.ts";
import { portNumber } from "./port-number.ts";

export function addDashboard(program: Command, edges: Edges, done: (code: number) => void): void {
  program
    .command("dashboard")
    .description("show the records of runs on a page, until it is stopped")
    .argument("[runs]", "the folder that they are in", "runs")
    .option("--port <port>", "where the page is, or the next free port (default: 7400)", portNumber)
    .action(async (runs: string, { port }: { port?: number }) => done(await showRuns(runs, port, edges)));
}

/** The exit code, once somebody has stopped it. Throws a Refusal where there is nothing to show. */
async function showRuns(runs: string, port: number | undefined, edges: Edges): Promise<number> {
  if (edges.hub === undefined || !existsSync(runs)) {
    throw new Refusal(`Cannot show the runs in ${runs}: no such folder`);
  }
  const [free] = await reservePorts([dashboardPorts(port)]);
  const listen = `127.0.0.1:${free}`;
  const args = ["--runs", runs, "--listen", listen, "--log-format", "pretty"];
  const [program, ...rest] = edges.hub(args);
  const hub = spawn(program!, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const offSignal = edges.onSignal(() => hub.connected && hub.send({ kind: "stop" }));
  const offExit = edges.onExit(() => hub.kill());
  hub.on("message", () => edges.out.write(`dashboard: http://${listen}\n`));
  const [code] = (await once(hub, "close")) as [number | null];
  offSignal();
  offExit();
  return code ?? 1;
}
