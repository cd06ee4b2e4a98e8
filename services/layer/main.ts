import { openDisk } from "../../shared/checkpoint/open-disk.ts";
import { prepareConfig } from "../../shared/config/read-config.ts";
import { openListenerWarnings, readCredentials } from "../../shared/link/credentials.ts";
import { chooseKernels } from "../../shared/math/choose-kernels.ts";
import { createLog } from "../../shared/record/log.ts";
import { attachLifeline } from "../../shared/telemetry/lifeline.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { realEnvironment } from "../worker/environment.ts";
import { readWorkerOptions } from "../worker/options.ts";
import { LayerRunner } from "./layer-runner.ts";
import { openTrace } from "./trace-file.ts";
import { TracedWork } from "./traced-work.ts";

let log = createLog({ worker: "layer", run: "" }, { format: "json" });
const runner = new LayerRunner();

const lifeline = attachLifeline(
  process,
  (why) => runner.stop(why),
  () => process.exit(143),
);

process.on("uncaughtException", (error) => {
  log.fatal({ err: error }, "failed");
  process.exit(1);
});

// Until there is an outcome: who ends without one has failed.
process.exitCode = 1;
void main();

// Not the module itself: what a bundle is made of cannot wait at its top.
async function main(): Promise<void> {
  try {
    const options = readWorkerOptions(process.argv.slice(2), "layer", process.env);
    const number = options.layer!;
    const speaker = { worker: `layer${number}`, layer: number, run: options.run };
    const format = { format: options.logFormat };
    log = createLog(speaker, format);
    const { config, warnings } = await prepareConfig(options.config, options.set);
    const credentials = readCredentials(options);
    for (const warning of [...warnings, ...openListenerWarnings(options.host, credentials)])
      log.warn(warning);
    const disk = await openDisk(options.folders, process.env, (why) => log.warn(why.message));
    const world = realEnvironment(
      credentials,
      {
        rssBytes: process.memoryUsage.rss,
        nodeVersion: process.version,
        cpuUsage: process.cpuUsage,
      },
      disk,
    );
    const { kernels, found } = chooseKernels(config.compute.kernels, process);
    log.info(found, "chose kernels");
    const tracer = options.trace === undefined ? undefined : openTrace(options.trace, number);
    const code = await runner.run(
      config,
      { ...options, layer: number },
      {
        ...world,
        kernels,
        ...(tracer && { work: (...build) => new TracedWork(build, tracer) }),
        log: (incarnation, hear) => {
          log = createLog({ ...speaker, incarnation }, { ...format, hear });
          return log;
        },
        tell: lifeline.tell,
        random: Math.random,
        pid: process.pid,
      },
    );
    tracer?.flush();
    process.exit(code);
  } catch (error) {
    log.error({ err: error }, (error as Error).message);
    process.exit(ExitCode.cannotStart);
  }
}
