import { setImmediate as breath } from "node:timers/promises";
import { weightsDigest } from "../../shared/checkpoint/digest.ts";
import type { Config } from "../../shared/config/config.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import type { DataSet } from "../../shared/data/data-set.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import type { ReferenceChain } from "../../shared/dni/reference-chain.ts";
import { referenceChain } from "../../shared/layers/network.ts";
import type { Score } from "../../shared/math/accuracy.ts";
import { chooseKernels } from "../../shared/math/choose-kernels.ts";
import type { Summary } from "../../shared/record/summary.ts";

/** What a run comes to: digests of the layers from layer 1 on, and the last evaluation. */
export interface Outcome {
  readonly digests: readonly string[];
  readonly test: Score;
}

/** The run of this config in one process, drained. Where the schedule is not pinned, the staleness is 1. */
export async function chainOutcome(file: string, set: readonly string[]): Promise<Outcome> {
  const { config } = loadConfig(file, set);
  const data = await openDataSet(config.data);
  const chain = chainOf(config, data);
  for (let number = 0; number < config.run.batches; number++) {
    chain.train(data.batch(config.seed, number, config.run.batchSize), number);
    // Else the test runner hears nothing for a minute and believes that this process is lost.
    if (number % 50 === 0) await breath();
  }
  const test = chain.evaluate(heldOut(data, config.run.batchSize));
  chain.drain();
  return { digests: chain.states().map(({ tensors }) => weightsDigest(tensors)), test };
}

/** The same, of a run over processes that is over. */
export function runOutcome({ layers, test }: Summary): Outcome {
  const inOrder = layers.toSorted((one, other) => one.layer - other.layer);
  return { digests: inOrder.map(({ digest }) => digest), test };
}

function chainOf(config: Config, data: DataSet): ReferenceChain {
  const { schedule } = config.delivery;
  const staleness = schedule === "free" ? 1 : schedule.staleness;
  const options = { staleness, inputScale: data.inputScale, dtype: config.wire.dtype };
  return referenceChain(chooseKernels(config.compute.kernels, process).kernels, config, options);
}

function* heldOut(data: DataSet, batchSize: number) {
  for (let part = 0; part < data.evaluationParts(batchSize); part++)
    yield data.evaluationPart(part, batchSize);
}
