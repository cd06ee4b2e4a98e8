import { weightsDigest } from "../../shared/checkpoint/digest.ts";
import type { Config } from "../../shared/config/config.ts";
import type { DataSet } from "../../shared/data/data-set.ts";
import type { Order } from "../../shared/dni/order.ts";
import { referenceChain } from "../../shared/layers/network.ts";
import type { Kernels } from "../../shared/math/kernels.ts";

/** Undefined for a layer that learns from no targets, or as its pinned schedule has it. */
export type Orders = readonly (Order | undefined)[];

/** The whole run once more, in this process: what the weights of each layer come to, layer 1 first. */
export function replay(config: Config, data: DataSet, kernels: Kernels, orders: Orders): string[] {
  const { seed, run, delivery, wire } = config;
  const { schedule } = delivery;
  const chain = referenceChain(kernels, config, {
    ...(schedule === "free" ? { staleness: 1, orders } : { staleness: schedule.staleness }),
    inputScale: data.inputScale,
    dtype: wire.dtype,
  });
  for (let batch = 0; batch < run.batches; batch++)
    chain.train(data.batch(seed, batch, run.batchSize), batch);
  chain.drain();
  return chain.states().map(({ tensors }) => weightsDigest(tensors));
}
