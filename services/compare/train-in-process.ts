import type { Config } from "../../shared/config/config.ts";
import { batchesPerEpoch } from "../../shared/config/data-facts.ts";
import type { DataSet } from "../../shared/data/data-set.ts";
import type { GeneratorHealth } from "../../shared/dni/generators/linear-generator.ts";
import type { ReferenceChain } from "../../shared/dni/reference-chain.ts";
import { referenceChain, trueGradientProbe } from "../../shared/layers/network.ts";
import type { Score } from "../../shared/math/accuracy.ts";
import type { KernelsChoice } from "../../shared/math/choose-kernels.ts";
import type { Evaluation, Health, Trial } from "./trial.ts";

interface Workbench {
  readonly data: DataSet;
  readonly kernels: () => KernelsChoice;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Guesses are also held against the gradient of the whole network, now and then in the last tenth of the run. */
  readonly trueGradient?: boolean;
}

/** How often the true gradient is looked at, at most. */
const MOST_LOOKS = 100;

/** Where more examples than these are trained on, an evaluation on all of them says little for what it costs. */
const MOST_TRAINING_EXAMPLES = 10_000;

/**
 * The whole run of a config by the reference chain: what services arrive at when their staleness is pinned. Where it is
 * not, every target is learnt before the next batch (staleness 1).
 */
export function trainInProcess(
  config: Config,
  { data, kernels, now, trueGradient = false }: Workbench,
): Trial {
  const { seed, run } = config;
  const chosen = kernels().kernels;
  const health = new HealthTally(run.batches);
  const truth = new HealthTally(run.batches);
  const chain = chainOf(config, data, chosen, health);
  const probe = trueGradient ? trueGradientProbe(chosen, config, chain.layers, data.inputScale) : undefined;
  const lookEvery = Math.ceil((run.batches - truth.from) / MOST_LOOKS);
  const curve: Evaluation[] = [];
  const began = now();
  let divergedAt: number | undefined;
  for (let number = 0; number < run.batches && divergedAt === undefined; number++) {
    const batch = data.batch(seed, number, run.batchSize);
    if (probe && number >= truth.from && (number - truth.from) % lookEvery === 0)
      for (const found of probe.look(batch)) truth.add(found.layer, number, found.health);
    const { loss } = chain.train(batch, number);
    const done = number + 1;
    if (!Number.isFinite(loss)) divergedAt = number;
    if (done % run.evaluateEvery === 0 || done === run.batches || divergedAt !== undefined)
      curve.push({ batch: done, test: chain.evaluate(heldOut(data, run.batchSize)) });
  }
  const wallSeconds = (now() - began) / 1000;
  const training = onTrainingData(chain, data, config);
  return {
    seed,
    curve,
    ...(training && { training }),
    wallSeconds,
    kernels: chosen.name,
    health: health.layers(),
    ...(probe && { truth: truth.layers() }),
    ...(divergedAt !== undefined && { divergedAt }),
  };
}

function chainOf(config: Config, data: DataSet, kernels: KernelsChoice["kernels"], health: HealthTally) {
  const { schedule } = config.delivery;
  return referenceChain(kernels, config, {
    staleness: schedule === "free" ? 1 : schedule.staleness,
    inputScale: data.inputScale,
    dtype: config.wire.dtype,
    onHealth: (layer, batch, found) => health.add(layer, batch, found),
  });
}

function* heldOut(data: DataSet, batchSize: number) {
  for (let part = 0; part < data.evaluationParts(batchSize); part++)
    yield data.evaluationPart(part, batchSize);
}

function onTrainingData(chain: ReferenceChain, data: DataSet, config: Config): Score | undefined {
  const { seed, run } = config;
  const batches = batchesPerEpoch(config.data, run.batchSize);
  if (batches === undefined || batches * run.batchSize > MOST_TRAINING_EXAMPLES) return undefined;
  return chain.evaluate(
    Array.from({ length: batches }, (_, number) => data.batch(seed, number, run.batchSize)),
  );
}

/** Sums over the last tenth of the run, when generators have become what they become. */
class HealthTally {
  /** The first batch that counts. */
  readonly from: number;
  readonly #layers = new Map<
    number,
    { squaredError: number; squaredTarget: number; cosine: number; count: number }
  >();

  constructor(batches: number) {
    this.from = Math.floor(0.9 * batches);
  }

  add(layer: number, batch: number, { squaredError, squaredTarget, cosine }: GeneratorHealth): void {
    if (batch < this.from) return;
    const before = this.#layers.get(layer) ?? { squaredError: 0, squaredTarget: 0, cosine: 0, count: 0 };
    this.#layers.set(layer, {
      squaredError: before.squaredError + squaredError,
      squaredTarget: before.squaredTarget + squaredTarget,
      cosine: before.cosine + cosine,
      count: before.count + 1,
    });
  }

  /** But for those that heard nothing but zeros, as before a frozen layer: nothing was to be guessed. */
  layers(): Health[] {
    return [...this.#layers.entries()]
      .filter(([, { squaredTarget }]) => squaredTarget > 0)
      .toSorted(([one], [other]) => one - other)
      .map(([layer, { squaredError, squaredTarget, cosine, count }]) => ({
        layer,
        error: squaredError / squaredTarget,
        cosine: cosine / count,
      }));
  }
}
