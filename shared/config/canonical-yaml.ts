import { stringify } from "yaml";
import type { Config, LayerConfig, OptimizerConfig, ScheduleConfig } from "./config.ts";

/** A config file with nothing left to default: `readConfig` of it is the same Config again. */
export function canonicalYaml(config: Config): string {
  const { layer, generator } = config.learning;
  const { evidence, hidden, batchNorm, form } = generator;
  return stringify(
    {
      ...config,
      layers: config.layers.map(writeLayer),
      learning: {
        ...config.learning,
        layer: writeOptimizer(layer),
        generator: {
          ...writeOptimizer(generator),
          evidence,
          form,
          ...(hidden && { hidden, batchNorm }),
        },
      },
    },
    { aliasDuplicateObjects: false },
  );
}

/** What a convolution takes and gives follows from what comes before it. */
function writeLayer({ conv, inputs, outputs, ...common }: LayerConfig) {
  if (!conv) return { inputs, outputs, ...common };
  const { kernel, stride, padding } = conv.shape;
  return { kind: "conv", channels: conv.channels, kernel, stride, padding, ...common };
}

function writeOptimizer({ optimizer, rate, momentum, schedule }: OptimizerConfig) {
  return { optimizer, rate, schedule: writeSchedule(schedule), ...(optimizer === "sgd" ? { momentum } : {}) };
}

function writeSchedule(schedule: ScheduleConfig) {
  return schedule.kind === "step" ? schedule : schedule.kind;
}
