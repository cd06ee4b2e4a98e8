import { stringify } from "yaml";
import { entriesOf, kindName } from "../layers/kinds.ts";
import type { Config, DataConfig, LayerConfig, OptimizerConfig, ScheduleConfig } from "./config.ts";

/** A config file with nothing left to default: `readConfig` of it is the same Config again. */
export function canonicalYaml(config: Config): string {
  const { units: _, ...written } = config;
  const { layer, generator } = config.learning;
  return stringify(
    {
      ...written,
      data: writeData(config.data),
      layers: config.layers.map(writeLayer),
      learning: {
        ...config.learning,
        layer: writeOptimizer(layer),
        generator: writeOptimizer(generator),
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

/** With all that a generator has besides. */
function writeOptimizer({ momentum, schedule, ...rest }: OptimizerConfig) {
  return {
    ...rest,
    schedule: writeSchedule(schedule),
    ...(rest.optimizer === "sgd" ? { momentum } : {}),
  };
}

function writeSchedule(schedule: ScheduleConfig) {
  return Object.keys(schedule).length > 1 ? schedule : schedule.kind;
}
