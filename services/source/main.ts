import { openDisk } from "../../shared/checkpoint/open-disk.ts";
import { prepareConfig } from "../../shared/config/read-config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { openListenerWarnings, readCredentials } from "../../shared/link/credentials.ts";
import { createLog } from "../../shared/record/log.ts";
import { attachLifeline } from "../../shared/telemetry/lifeline.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { realEnvironment } from "../worker/environment.ts";
import { readWorkerOptions } from "../worker/options.ts";
import { SourceProcess } from "./source-process.ts";

let log = createLog({ worker: "source", run: "" }, { format: "json" });
let source: SourceProcess | undefined;

const lifeline = attachLifeline(
  process,
  (why) => (source ? void source.stop(why) : process.exit(ExitCode.done)),
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
    const options = readWorkerOptions(process.argv.slice(2), "source", process.env);
    const speaker = { worker: "source", run: options.run };
    const format = { format: options.logFormat };
    log = createLog(speaker, format);
    const { config, warnings } = await prepareConfig(options.config, options.set);
    const credentials = readCredentials(options);
    for (const warning of [...warnings, ...openListenerWarnings(options.host, credentials)])
      log.warn(warning);
    const disk = await openDisk(options.folders, process.env, (why) => log.warn(why.message));
    source = await SourceProcess.start(
      config,
      { ...options, record: options.record!, successor: options.successor! },
      {
        ...realEnvironment(
          credentials,
          {
            rssBytes: process.memoryUsage.rss,
            nodeVersion: process.version,
            cpuUsage: process.cpuUsage,
          },
          disk,
        ),
        data: await openDataSet(config.data),
        log: (incarnation, hear) => {
          log = createLog({ ...speaker, incarnation }, { ...format, hear });
          return log;
        },
        tell: lifeline.tell,
        random: Math.random,
        pid: process.pid,
        nodeVersion: process.version,
      },
    );
  } catch (error) {
    log.error({ err: error }, (error as Error).message);
    process.exit(ExitCode.cannotStart);
  }
  process.exit(await source.ended);
}
