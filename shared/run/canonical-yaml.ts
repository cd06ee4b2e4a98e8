import { stringify } from "yaml";
import type { Config, OptimizerConfig, ScheduleConfig } from "./config.ts";

/** A config file with nothing left to default: `readConfig` of it is the same Config again. */
export function canonicalYaml(config: Config): string {
  const { layer, generator } = config.learning;
  const { evidence, hidden, batchNorm } = generator;
  return stringify(
    {
      ...config,
      learning: {
        ...config.learning,
        layer: writeOptimizer(layer),
        generator: { ...writeOptimizer(generator), evidence, ...(hidden && { hidden, batchNorm }) },
      },
    },
    { aliasDuplicateObjects: false },
  );
}

function writeOptimizer({ optimizer, rate, momentum, schedule }: OptimizerConfig) {
  return { optimizer, rate, schedule: writeSchedule(schedule), ...(optimizer === "sgd" ? { momentum } : {}) };
}

function writeSchedule(schedule: ScheduleConfig) {
  return schedule.kind === "step" ? schedule : schedule.kind;
}
