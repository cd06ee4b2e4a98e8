import type { Config } from "../../shared/config/config.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { configHash } from "../../shared/config/hash.ts";

/** The worker under test, as the config of its run has it. */
export interface Subject {
  readonly layer: number;
  readonly run: string;
  readonly configHash: string;
  readonly secret: Buffer | undefined;
  readonly isHead: boolean;
  /** Layer 1 answers to the source, which is taught nothing. */
  readonly isFirst: boolean;
  /** Floats per example. */
  readonly inputs: number;
  readonly outputs: number;
  /** Numbers per example. */
  readonly labels: number;
  readonly networkInputs: number;
  /** Of what comes in, of the network's own input, and between layers. */
  readonly dtypeIn: string;
  readonly dtypeOfInput: string;
  readonly dtype: string;
  /** Batches carry the network's input as well. */
  readonly hasInput: boolean;
  readonly batchNorm: boolean;
  readonly batchSize: number;
  readonly batches: number;
  /** Batches from one evaluation to the next; 0 for none. */
  readonly evaluateEvery: number;
  readonly window: number;
  readonly stalenessBudget: number;
  /** How many classes there are, where a label is one of these; else labels are bits. */
  readonly classes: number | undefined;
  readonly heartbeatMs: number;
  readonly handshakeMs: number;
  readonly longestWaitMs: number;
}

/** What all checks together need, and then some. */
const LEAST_BATCHES = 300;
const MOST_BATCHES = 5_000;

/** Throws an Error where the checks could not tell right from wrong. */
export function subjectOf(config: Config, worker: Pick<Subject, "layer" | "run" | "secret">): Subject {
  const { layers, run, delivery, link, learning } = config;
  refuseUnfit(config, worker.layer);
  const { inputType, labelWidth } = dataFacts(config.data);
  const own = layers[worker.layer - 1]!;
  const { positions = 1 } = layers.at(-1)!;
  const classes = config.loss === "softmax-cross-entropy" ? labelWidth / positions : undefined;
  const isFirst = worker.layer === 1;
  return {
    ...worker,
    configHash: configHash(config),
    isHead: worker.layer === layers.length,
    isFirst,
    inputs: own.inputs,
    outputs: own.outputs,
    labels: classes === undefined ? labelWidth : positions,
    networkInputs: layers[0]!.inputs,
    dtypeIn: isFirst ? inputType : config.wire.dtype,
    dtypeOfInput: inputType,
    dtype: config.wire.dtype,
    hasInput: learning.generator.evidence.includes("input"),
    batchNorm: own.batchNorm,
    batchSize: run.batchSize,
    batches: run.batches,
    evaluateEvery: run.evaluateEvery,
    window: delivery.window,
    stalenessBudget: delivery.stalenessBudget,
    classes,
    heartbeatMs: link.heartbeatMs,
    handshakeMs: link.handshakeMs,
    longestWaitMs: link.backoffMs.most,
  };
}

function refuseUnfit({ layers, units, run, delivery, learning }: Config, layer: number): void {
  const { method, mixture, inputGenerator, updateProbability } = learning;
  const own = layers[layer - 1];
  if (own === undefined) throw new Error(`Cannot check layer ${layer}: the network has ${layers.length}`);
  const isDecoupled = (each: string) => each === "dni" || each === "cdni";
  if (!isDecoupled(own.method ?? method) || mixture || inputGenerator || updateProbability)
    throw new Error("Cannot check this config: the checks are for learning.method dni or cdni alone");
  if (units)
    throw new Error("Cannot check this config: the checks are for classes and bits, not for regression");
  if (delivery.schedule !== "free")
    throw new Error("Cannot check this config: the checks are for delivery.schedule free");
  if (run.batches < LEAST_BATCHES || run.batches > MOST_BATCHES)
    throw new Error(
      `Cannot check this config: run.batches is ${run.batches}, expected ${LEAST_BATCHES} to ${MOST_BATCHES}`,
    );
  if (delivery.stalenessBudget > 32)
    throw new Error(
      `Cannot check this config: delivery.stalenessBudget is ${delivery.stalenessBudget}, expected 32 at most`,
    );
  if (run.batchSize < 2) throw new Error("Cannot check this config: run.batchSize is 1, expected 2 or more");
}
