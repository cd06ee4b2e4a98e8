import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Command } from "commander";
import { openModel } from "../../model/model.ts";
import { ModelServer } from "../../model/server.ts";
import type { Edges } from "../../train/edges.ts";
import { Refusal } from "../../train/refusal.ts";
import { portNumber } from "../port-number.ts";
import { runAt } from "./open-run.ts";

const HOST = "127.0.0.1";

interface ServeOptions {
  readonly port: number;
  readonly snapshot?: boolean;
  readonly runs: string;
}

export function addServe(program: Command, edges: Edges): void {
  program
    .command("serve")
    .description("answer over HTTP what a run's network makes of examples, until it is stopped")
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--port <port>", "on 127.0.0.1; 0 for any that is free", portNumber, 7500)
    .option("--snapshot", "the network of the newest snapshot, in place of the newest checkpoints")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .action(async (wanted: string | undefined, { port, snapshot, runs }: ServeOptions) => {
      const model = await openModel(runAt(runs, wanted), { isSnapshot: snapshot });
      const { kernels } = edges.kernels(model.config.compute.kernels);
      const { server } = new ModelServer(model, kernels);
      const stopped = new Promise<void>((resolve) => {
        const off = edges.onSignal(() => {
          off();
          resolve();
        });
      });
      server.listen(port, HOST);
      await once(server, "listening").catch((error: Error) => {
        throw new Refusal(`Cannot serve ${model.run}: ${error.message}`, { cause: error });
      });
      const { port: listening } = server.address() as AddressInfo;
      const { batches } = model.config.run;
      edges.out.write(
        `${model.run} after ${model.saved.batch} of ${batches} batches: http://${HOST}:${listening}\n`,
      );
      await stopped;
      server.close();
      // What is being answered is still answered.
      server.closeIdleConnections();
      await once(server, "close");
    });
}
