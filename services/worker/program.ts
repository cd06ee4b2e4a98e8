import type { Logger } from "pino";
import { openDisk } from "../../shared/checkpoint/open-disk.ts";
import type { Config } from "../../shared/config/config.ts";
import { prepareConfig } from "../../shared/config/read-config.ts";
import { openListenerWarnings, readCredentials } from "../../shared/link/credentials.ts";
import { createLog } from "../../shared/record/log.ts";
import { attachLifeline } from "../../shared/telemetry/lifeline.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { type Environment, realEnvironment } from "./environment.ts";
import { readWorkerOptions, type WorkerOptions, workerHelp } from "./options.ts";

/** A worker under way. */
interface Running {
  stop(why: string): void;
  /** Its exit code. Rejects if it cannot ever start. */
  readonly ended: Promise<number>;
}

/** What the program of a worker begins with. */
interface Given {
  readonly config: Config;
  readonly options: WorkerOptions;
  readonly environment: Environment;
  readonly log: Logger;
}

/** The program of a worker: reads flags and config, begins, and exits with the worker's code. `host` is its process. */
export function runProgram(
  host: NodeJS.Process,
  role: "layer" | "source",
  begin: (given: Given) => Running,
): void {
  const argv = host.argv.slice(2);
  if (argv.includes("--help")) return void host.stdout.write(workerHelp(role));
  let log = createLog({ worker: role, run: "" }, { format: "json" });
  let running: Running | undefined;
  const stop = (why: string) => (running ? running.stop(why) : host.exit(ExitCode.done));
  const { tell } = attachLifeline(host, stop, () => host.exit(143));
  host.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "failed");
    host.exit(1);
  });
  // Until there is an outcome: a process that ends without one has failed.
  host.exitCode = 1;
  // Not awaited: a bundle cannot wait at the top of its module.
  void (async () => {
    const options = readWorkerOptions(argv, role, host.env);
    const { layer, run, logFormat: format } = options;
    const speaker = { worker: layer === undefined ? role : `layer${layer}`, ...(layer && { layer }), run };
    log = createLog(speaker, { format });
    const { config, warnings } = await prepareConfig(options.config, options.set);
    const credentials = readCredentials(options);
    for (const warning of [...warnings, ...openListenerWarnings(options.host, credentials)])
      log.warn(warning);
    const disk = await openDisk(options.folders, host.env, (why) => log.warn(why.message));
    const { cpuUsage, version: nodeVersion, pid } = host;
    const own = { rssBytes: host.memoryUsage.rss, nodeVersion, cpuUsage };
    const newLog: Environment["log"] = (incarnation, hear) => {
      log = createLog({ ...speaker, incarnation }, { format, hear });
      return log;
    };
    const environment = { ...realEnvironment(credentials, own, disk), log: newLog, tell, pid };
    running = begin({ config, options, environment, log });
    host.exit(await running.ended);
  })().catch((error: Error) => {
    log.error({ err: error }, error.message);
    host.exit(ExitCode.cannotStart);
  });
}
