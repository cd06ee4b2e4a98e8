import { describe, expect, it } from "vitest";
import type { NetworkOptions } from "../../shared/dni/build-layer.ts";
import type { ChainBatch } from "../../shared/dni/chain-batch.ts";
import type { LearningOptions } from "../../shared/dni/layer-options.ts";
import { referenceChain } from "../../shared/layers/network.ts";
import type { Score } from "../../shared/math/accuracy.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { bars, barsNetwork } from "./bars.ts";
import { adam, learningOf, networkOf } from "./network.ts";
import { smallAddition } from "./small-addition.ts";
import { twoRings } from "./two-rings.ts";

type Method = LearningOptions["method"];
type Task = (seed: number, batch: number) => ChainBatch;

/** Layers a third as fast as their teachers, both to zero by a cosine: what holds under delay. */
function learning(method: Method): LearningOptions {
  const cosine = { kind: "cosine" } as const;
  const generator = { ...adam(1e-2, cosine), evidence: ["output", "labels"] } as const;
  return learningOf({ method, layer: adam(3e-3, cosine), generator });
}

/** Trains to the end, and judges on batches that were drawn from another seed. */
function outcome(task: Task, network: NetworkOptions, staleness: number): Score {
  const chain = referenceChain(plainKernels(), network, { staleness });
  for (const batch of range(network.run.batches)) chain.train(task(network.seed, batch), batch);
  chain.drain();
  return chain.evaluate(range(8).map((part) => task(network.seed + 1000, part)));
}

describe.each([1, 2, 3])("two rings through two hidden layers of four, seed %i", (seed) => {
  const run = { batchSize: 64, batches: 1500 };
  const errorOf = (method: Method, staleness = 1, change: Partial<LearningOptions> = {}) =>
    outcome(
      (of, batch) => twoRings(of, batch, 64),
      networkOf([2, 4, 4, 2], { run, seed, learning: { ...learning(method), ...change } }),
      staleness,
    ).error;

  it("are told apart by layers that learn from guesses", () => {
    expect(errorOf("cdni")).toBeLessThan(0.05);
  });

  it("are told apart when the targets come four batches late", () => {
    expect(errorOf("cdni", 4)).toBeLessThan(0.05);
  });

  it("are not, when the generators never learn: the head cannot cope alone", () => {
    expect(errorOf("frozen")).toBeGreaterThan(0.15);
  });

  it("are told apart by backpropagation", () => {
    expect(errorOf("backprop")).toBeLessThan(0.05);
  });

  it("are told apart by layers with heads of their own", () => {
    expect(errorOf("local")).toBeLessThan(0.05);
  });

  it("are told apart by halves of truth and guess", () => {
    expect(errorOf("cdni", 1, { mixture: 0.5 })).toBeLessThan(0.05);
  });

  it("are told apart by layers that each learn from half of the batches", () => {
    expect(errorOf("cdni", 1, { updateProbability: 0.5, layer: adam(1e-2) })).toBeLessThan(0.05);
  });

  it("are told apart by layers that learn from guessed inputs as well, if these are learnt, and the gradients", () => {
    const guessed = (rate: number) => ({ inputGenerator: { rate, hidden: [16] } });
    expect(errorOf("cdni", 1, guessed(0.01))).toBeLessThan(0.05);
    expect(errorOf("cdni", 1, guessed(0))).toBeGreaterThan(0.15);
    expect(errorOf("frozen", 1, guessed(0.01))).toBeGreaterThan(0.15);
  });
});

describe("sums of two numbers of four bits", () => {
  const run = { batchSize: 64, batches: 2000 };
  const exactOf = (method: Method, staleness: number) =>
    outcome(
      (of, batch) => smallAddition(4, of, batch, 64),
      networkOf([8, 32, 32, 5], {
        run,
        seed: 5,
        loss: "sigmoid-cross-entropy",
        learning: learning(method),
      }),
      staleness,
    ).exact;

  it("come out exact from layers that learn from guesses, eight batches late", () => {
    expect(exactOf("cdni", 8)).toBeGreaterThan(0.97);
  });

  it("do not, when the generators never learn", () => {
    expect(exactOf("frozen", 8)).toBeLessThan(0.4);
  });
});

describe.each([1, 2])("bars through two convolutions, seed %i", (seed) => {
  const run = { batchSize: 64, batches: 800 };
  const errorOf = (method: Method, hidden: readonly number[] = []) => {
    const rate = adam(1e-2, { kind: "cosine" });
    const generator = { ...rate, evidence: ["output", "labels"], hidden } as const;
    const network = barsNetwork(learningOf({ method, layer: rate, generator }), run, seed);
    return outcome((of, batch) => bars(of, batch, 64), network, 1).error;
  };

  it("are told apart by layers that learn from guesses, linear ones or not", () => {
    expect(errorOf("cdni")).toBeLessThan(0.22);
    expect(errorOf("cdni", [6])).toBeLessThan(0.15);
  });

  it("are told apart by layers with heads of their own", () => {
    expect(errorOf("local")).toBeLessThan(0.2);
  });

  it("are not, when the generators never learn: the head cannot cope alone", () => {
    expect(errorOf("frozen")).toBeGreaterThan(0.35);
  });
});
