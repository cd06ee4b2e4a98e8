import { openDataSet } from "../../shared/data/kinds.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { runProgram } from "../worker/program.ts";
import { SourceProcess } from "./source-process.ts";

runProgram(process, "source", ({ config, options, environment }) => {
  const { record, successor } = options;
  let source: SourceProcess | undefined;
  const begin = async () => {
    source = await SourceProcess.start({
      config,
      options: { ...options, record: record!, successor: successor! },
      environment: {
        ...environment,
        data: await openDataSet(config.data, config.loss),
        nodeVersion: process.version,
      },
    });
    // Only a layer's numbers can run away, and end a life without an exit code.
    return (await source.worker.ended) as number;
  };
  const stop = (why: string) => (source ? void source.worker.stop(why) : process.exit(ExitCode.done));
  return { ended: begin(), stop };
});
