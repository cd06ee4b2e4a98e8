import { chooseKernels } from "../../shared/math/choose-kernels.ts";
import { runProgram } from "../worker/program.ts";
import { LayerRunner } from "./layer-runner.ts";
import { OrderFile } from "./order-file.ts";
import { openTrace } from "./trace/trace-file.ts";
import { TracedWork } from "./trace/traced-work.ts";

runProgram(process, "layer", ({ config, options, environment, log }) => {
  const layer = options.layer!;
  const choose = () => chooseKernels(config.compute.kernels, process);
  const { kernels, found } = choose();
  log.info(found, "chose kernels");
  const tracer = options.trace === undefined ? undefined : openTrace(options.trace, layer);
  const traced = tracer && {
    work: (...build: ConstructorParameters<typeof TracedWork>[0]) => new TracedWork(build, tracer),
  };
  const runner = new LayerRunner();
  const start = {
    config,
    options: { ...options, layer },
    environment: { ...environment, kernels, order: new OrderFile(options.state, log), ...traced },
  };
  const ended = runner.run(start, () => choose().kernels).finally(() => tracer?.flush());
  return { ended, stop: (why) => runner.stop(why) };
});
