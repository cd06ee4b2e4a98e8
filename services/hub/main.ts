import { createLog } from "../../shared/record/log.ts";
import { attachLifeline } from "../../shared/telemetry/lifeline.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { Hub } from "./hub.ts";
import { hubHelp, readHubOptions } from "./hub-options.ts";
import { openMirror, type RecordMirror } from "./record-mirror.ts";

const argv = process.argv.slice(2);
let log = createLog({ worker: "hub", run: "" }, { format: "json" });
let hub: Hub | undefined;
let mirror: RecordMirror | undefined;

if (argv.includes("--help")) process.stdout.write(hubHelp());
else void main();

// Not the module itself: what a bundle is made of cannot wait at its top.
async function main(): Promise<void> {
  const lifeline = attachLifeline(
    process,
    (why) => void end(why),
    () => process.exit(143),
  );
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "failed");
    process.exit(1);
  });
  // Until there is an outcome: a process that ends without one has failed.
  process.exitCode = 1;
  try {
    const options = readHubOptions(argv, process.env);
    log = createLog({ worker: "hub", run: options.run ?? "" }, { format: options.logFormat });
    mirror = await openMirror(options, process.env, log);
    hub = await Hub.start(options, {
      log,
      now: Date.now,
      steadyMs: () => performance.now(),
      node: process.execPath,
    });
    // A parent says it itself.
    if (process.send === undefined) process.stdout.write(`dashboard: ${hub.invitation}\n`);
    await lifeline.tell({ kind: "listening", worker: "hub", port: hub.port });
  } catch (error) {
    log.error({ err: error }, (error as Error).message);
    process.exit(ExitCode.cannotStart);
  }
}

async function end(why: string): Promise<void> {
  log.info({ why }, "stopping");
  await hub?.stop();
  await mirror?.close();
  process.exit(ExitCode.done);
}
