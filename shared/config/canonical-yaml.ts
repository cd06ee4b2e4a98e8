import { stringify } from "yaml";
import { entriesOf, kindName } from "../layers/kinds.ts";
import type { Config, DataConfig, LayerConfig, OptimizerConfig, ScheduleConfig } from "./config.ts";

/** A config file with nothing left to default: `readConfig` of it is the same Config again. */
export function canonicalYaml(config: Config): string {
  const { layer, generator } = config.learning;
  const { evidence, hidden, batchNorm, form } = generator;
  return stringify(
    {
      ...config,
      data: writeData(config.data),
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
    { aliasDuplicateObjects: false, blockQuote: "literal" },
  );
}

/** What its module is says its text. */
function writeData({ module: _, ...data }: DataConfig) {
  return data;
}

function writeLayer(layer: LayerConfig) {
  const { kind, method } = layer;
  const name = kindName(layer);
  return {
    // The kind that an older config means where it says none.
    ...((kind !== undefined || name !== kindName({})) && { kind: name }),
    ...entriesOf(layer),
    ...(method && { method }),
  };
}

function writeOptimizer({ optimizer, rate, momentum, schedule }: OptimizerConfig) {
  return { optimizer, rate, schedule: writeSchedule(schedule), ...(optimizer === "sgd" ? { momentum } : {}) };
}

function writeSchedule(schedule: ScheduleConfig) {
  return schedule.kind === "step" ? schedule : schedule.kind;
}
