import { weightsDigest } from "../../shared/checkpoint/digest.ts";
import type { Config } from "../../shared/config/config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import type { Order } from "../../shared/dni/order.ts";
import { referenceChain } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import type { Simulation } from "./simulation.ts";

/** Of every layer's weights, as the run's record has them. */
export function digestsOf({ summary }: Simulation): string[] {
  return summary!.layers.toSorted((one, other) => one.layer - other.layer).map(({ digest }) => digest);
}

/** Of the reference chain: what a run with its staleness pinned must come to, or a free one in the order of its layers. */
export async function chainDigests(
  config: Config,
  staleness: number,
  orders?: readonly (Order | undefined)[],
): Promise<string[]> {
  const data = await openDataSet(config.data);
  const chain = referenceChain(plainKernels(), config, { staleness, ...(orders && { orders }) });
  for (let batch = 0; batch < config.run.batches; batch++)
    chain.train(data.batch(config.seed, batch, config.run.batchSize), batch);
  chain.drain();
  return chain.states().map(({ tensors }) => weightsDigest(tensors));
}
