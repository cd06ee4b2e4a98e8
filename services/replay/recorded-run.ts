import { join } from "node:path";
import type { Config } from "../../shared/config/config.ts";
import { learnsFromTargets } from "../../shared/config/learns-from-targets.ts";
import { prepareConfig } from "../../shared/config/read-config.ts";
import { recordedOrder } from "../../shared/dni/order.ts";
import { readOrder } from "../../shared/record/order-record.ts";
import { readSummary } from "../../shared/record/summary.ts";
import { layerName } from "../../shared/record/worker-name.ts";
import { Refusal } from "../train/refusal.ts";
import { stateFolder } from "../train/worker-plan.ts";
import type { Orders } from "./replay.ts";

/** What a run left of itself that it can be computed from again. */
export interface RecordedRun {
  readonly config: Config;
  /** Of each layer at the end, layer 1 first. */
  readonly digests: readonly string[];
  readonly orders: Orders;
  /** Batches that more than one life of a layer has applied. */
  readonly again: readonly Again[];
}

interface Again {
  readonly worker: string;
  readonly first: number;
  readonly last: number;
}

/** Throws a Refusal where it left too little. */
export async function recordedRun(folder: string): Promise<RecordedRun> {
  const { config } = await prepareConfig(join(folder, "config.yaml"), []);
  const { layers } = readSummary(folder);
  const digests = layers.toSorted((one, other) => one.layer - other.layer).map(({ digest }) => digest);
  const isFree = config.delivery.schedule === "free";
  if (isFree && config.learning.late)
    throw new Refusal("Cannot replay: gradients of backprop come late, and their order is not written down");
  const records = config.layers.map((_, index) =>
    isFree && learnsFromTargets(config, index + 1)
      ? orderOf(folder, index + 1, config.run.batches)
      : undefined,
  );
  const orders = records.map((record) => record && recordedOrder(record.learnt));
  const again = records.flatMap((record, index) =>
    (record?.again ?? []).map(([first, last]) => ({ worker: layerName(index + 1), first, last })),
  );
  return { config, digests, orders, again };
}

function orderOf(folder: string, layer: number, batches: number) {
  const name = layerName(layer);
  const record = readOrder(stateFolder({ folder, name }), batches);
  if (!record) throw new Refusal(`Cannot replay: ${name} left no order of learning in ${folder}`);
  const { learnt, again } = record;
  const missing = learnt.indexOf(undefined);
  if (missing >= 0)
    throw new Refusal(`Cannot replay: ${name} did not write when it learnt before batch ${missing}`);
  return { learnt: learnt as readonly number[], again };
}
