import { describe, expect, it } from "vitest";
import type { NetworkOptions } from "../../shared/dni/build-layer.ts";
import type { ChainBatch } from "../../shared/dni/chain-batch.ts";
import type { DecoupledLayer } from "../../shared/dni/decoupled-layer.ts";
import type { Evidence } from "../../shared/dni/evidence.ts";
import type { Head } from "../../shared/dni/head.ts";
import { InputGenerator } from "../../shared/dni/input-generator.ts";
import { recordedOrder } from "../../shared/dni/order.ts";
import type { ReferenceChain } from "../../shared/dni/reference-chain.ts";
import { buildLayer, referenceChain } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { centralDifferences, distance, lossInDouble, outputInDouble, range } from "../math/double-oracle.ts";
import { classes, drawn, learningOf, networkOf, oneHot, sgd } from "./network.ts";
import { twoRings } from "./two-rings.ts";

const kernels = plainKernels();
const run = { batchSize: 16, batches: 12 };
const network = networkOf([2, 6, 5, 2], { run });

function statesOf(chain: ReferenceChain) {
  return chain.layers.map((layer) => layer.state());
}

function trained(staleness: number, of = network): ReferenceChain {
  const chain = referenceChain(kernels, of, { staleness });
  for (const batch of range(run.batches)) chain.train(twoRings(1, batch, 16), batch);
  return chain;
}

/** In an order as a run records it: of each batch and hidden layer, how many targets were learnt before it. */
function ordered(...learnt: readonly (readonly number[])[]) {
  const chain = referenceChain(kernels, network, { staleness: 1, orders: learnt.map(recordedOrder) });
  for (const batch of range(run.batches)) chain.train(twoRings(1, batch, 16), batch);
  chain.drain();
  return statesOf(chain);
}

/** The pinned order written out, with everything kept for ever and nothing reused. */
function trainedByHand(staleness: number, drain: boolean) {
  const hidden = [1, 2].map((number) => buildLayer(kernels, network, number) as DecoupledLayer);
  const head = buildLayer(kernels, network, 3) as Head;
  const evidence: Evidence[][] = [[], []];
  const targets: Float32Array[][] = [[], []];
  const learn = (k: number, batch: number) => {
    if (batch >= 0) hidden[k]!.learn(evidence[k]![batch]!, targets[k]![batch]!, batch);
  };
  for (const batch of range(run.batches)) {
    const { input, labels } = twoRings(1, batch, 16);
    const example = { rows: 16, input: Float32Array.from(input), labels: Float32Array.from(labels) };
    learn(0, batch - staleness);
    const first = structuredClone(hidden[0]!.update(example, batch));
    evidence[0]!.push({ rows: 16, output: first.output, labels: example.labels });
    learn(1, batch - staleness);
    const second = structuredClone(hidden[1]!.update({ ...example, input: first.output }, batch));
    evidence[1]!.push({ rows: 16, output: second.output, labels: example.labels });
    targets[0]!.push(second.inputGradient!);
    const last = structuredClone(head.update({ ...example, input: second.output }, batch));
    targets[1]!.push(last.inputGradient!);
  }
  const unlearnt = drain ? range(staleness).map((i) => run.batches - staleness + i) : [];
  for (const k of [0, 1]) for (const batch of unlearnt) learn(k, batch);
  return [...hidden, head].map((layer) => layer.state());
}

/** Complete unlock at staleness 1: no layer is given what another one gave, but to learn what it should have been. */
function unlockedByHand(of: NetworkOptions) {
  const hidden = [1, 2].map((number) => buildLayer(kernels, of, number) as DecoupledLayer);
  const head = buildLayer(kernels, of, 3) as Head;
  const inputs = [2, 3].map((layer) => {
    const sizes = { inputs: of.layers[layer - 1]!.inputs, networkInputs: 2, maxRows: 16 };
    const { learning } = of;
    const generator = learning.inputGenerator!;
    return new InputGenerator(kernels, { ...sizes, ...run, layer, seed: of.seed, learning, generator });
  });
  for (const batch of range(run.batches)) {
    const { input, labels } = twoRings(1, batch, 16);
    const networkInput = Float32Array.from(input);
    const example = { rows: 16, input: networkInput, labels: Float32Array.from(labels), networkInput };
    const [second, third] = inputs.map((each) => ({ ...example, input: each.guess(example).slice() }));
    const answers = [hidden[0]!.update(example, batch), hidden[1]!.update(second!, batch)].map((answer) =>
      structuredClone(answer),
    );
    const targets = [answers[1]!.inputGradient!, head.update(third!, batch).inputGradient!];
    for (const [k, layer] of hidden.entries()) {
      layer.learn({ rows: 16, output: answers[k]!.output, labels: example.labels }, targets[k]!, batch);
      inputs[k]!.learn(example, answers[k]!.output, batch);
    }
  }
  return [...hidden, head].map((layer) => layer.state());
}

describe("the reference chain", () => {
  it.each([1, 3, 5])("learns the target of batch b − %i just before batch b, bit for bit", (staleness) => {
    const chain = trained(staleness);
    expect(statesOf(chain)).toEqual(trainedByHand(staleness, false));
    chain.drain();
    expect(statesOf(chain)).toEqual(trainedByHand(staleness, true));
    chain.drain();
    expect(statesOf(chain)).toEqual(trainedByHand(staleness, true));
  });

  it("hands layers guesses of their inputs where it is told to, and teaches these what the inputs were", () => {
    const learning = learningOf({ inputGenerator: { rate: 0.02, hidden: [4] } });
    const unlocked = { ...network, learning };
    const chain = trained(1, unlocked);
    chain.drain();
    expect(statesOf(chain)).toEqual(unlockedByHand(unlocked));
    expect(statesOf(chain)).not.toEqual(statesOf(trained(1)));
  });

  it("has learnt otherwise under another staleness", () => {
    expect(statesOf(trained(1))).not.toEqual(statesOf(trained(2)));
  });

  it("comes out the same, evaluated in mid-run or not", () => {
    for (const method of ["cdni", "backprop"] as const) {
      const of = { ...network, learning: learningOf({ method }) };
      const chain = referenceChain(kernels, of, { staleness: 2 });
      for (const batch of range(run.batches)) {
        chain.train(twoRings(1, batch, 16), batch);
        chain.evaluate([twoRings(2, batch, 16), twoRings(2, 99, 7)]);
      }
      expect(statesOf(chain)).toEqual(statesOf(trained(2, of)));
    }
  });

  it("takes bytes times their scale for the floats they stand for", () => {
    const bytes = Uint8Array.from(range(32), (i) => (i * 37) % 256);
    const labels = Uint8Array.from(classes(16, 2));
    const losses = [
      { input: bytes, inputScale: 1 / 255 },
      { input: Float32Array.from(bytes, (byte) => byte / 255), inputScale: 1 },
    ].map(({ input, inputScale }) => {
      const chain = referenceChain(kernels, network, { staleness: 1, inputScale });
      return chain.train({ rows: 16, input, labels }, 0).loss;
    });
    expect(losses[0]).toBe(losses[1]);
  });

  it("averages an evaluation over examples, not over its parts", () => {
    const chain = trained(1);
    const whole = twoRings(3, 0, 16);
    const part = (from: number, to: number): ChainBatch => ({
      rows: to - from,
      input: whole.input.slice(from * 2, to * 2),
      labels: whole.labels.slice(from, to),
    });
    const [at, inParts] = [chain.evaluate([whole]), chain.evaluate([part(0, 15), part(15, 16)])];
    expect(inParts.loss).toBeCloseTo(at.loss, 6);
    expect(inParts.error).toBe(at.error);
    expect(at).not.toHaveProperty("exact");
  });

  it("refuses a staleness that no order can have", () => {
    for (const staleness of [0, 1.5]) {
      expect(() => referenceChain(kernels, network, { staleness })).toThrow(
        `Cannot pin the staleness: ${staleness} is not a whole number from 1`,
      );
    }
  });
});

describe("the reference chain with backprop", () => {
  it("moves every parameter by the gradient of the whole network's loss, found by differences", () => {
    const locked: NetworkOptions = {
      ...network,
      layers: [
        { inputs: 2, outputs: 6, nonlinearity: "tanh", batchNorm: true },
        { inputs: 6, outputs: 5, nonlinearity: "sigmoid", batchNorm: false },
        { inputs: 5, outputs: 2, nonlinearity: "identity", batchNorm: false },
      ],
      learning: learningOf({ method: "backprop", layer: sgd(1) }),
    };
    const chain = referenceChain(kernels, locked, { staleness: 1 });
    const doubles = chain.layers.map((layer, k) => {
      const tensors = Object.entries(layer.state().tensors).map(([name, tensor]) => [
        name.replace("layer.", ""),
        Array.from(tensor),
      ]);
      return { ...locked.layers[k]!, weight: [] as number[], ...Object.fromEntries(tensors) };
    });
    const batch = { rows: 16, input: drawn(32, 3), labels: Uint8Array.from(classes(16, 2)) };
    const loss = () => {
      const outputs = doubles.reduce((x, layer) => outputInDouble(layer, x, 16), Array.from(batch.input));
      return lossInDouble("softmax-cross-entropy", outputs, Array.from(oneHot(16, 2)), 2) / 16;
    };
    const expected = doubles.map((layer) => {
      const names = ["weight", "bias", "gamma", "beta"].filter((name) => name in layer);
      return names.map((name) => {
        const values = layer[name] as number[];
        const gradient = centralDifferences(loss, values);
        return { name, values: values.map((value, i) => value - gradient[i]!) };
      });
    });
    expect(chain.train(batch, 0).loss).toBeCloseTo(loss(), 5);
    for (const [k, parameters] of expected.entries()) {
      const { tensors } = chain.layers[k]!.state();
      for (const { name, values } of parameters) {
        expect(distance(tensors[`layer.${name}`]!, values), `layer ${k + 1} ${name}`).toBeLessThan(1e-5);
      }
    }
  });
});

describe("a recorded order", () => {
  const pinnedTo = (staleness: number) =>
    range(run.batches).map((batch) => Math.max(0, batch - staleness + 1));
  const drained = (staleness: number) => {
    const chain = trained(staleness);
    chain.drain();
    return statesOf(chain);
  };

  it("that is a pinned one comes to the same weights", () => {
    expect(ordered(pinnedTo(3), pinnedTo(3))).toEqual(drained(3));
    expect(ordered(pinnedTo(3), pinnedTo(3))).not.toEqual(drained(2));
  });

  it("may leave all to the end", () => {
    const none = range(run.batches).map(() => 0);
    expect(ordered(none, none)).toEqual(drained(run.batches));
  });

  it("that differs by one target in one batch comes to others", () => {
    const other = pinnedTo(3).with(7, 6);
    expect(ordered(other, pinnedTo(3))).not.toEqual(ordered(pinnedTo(3), pinnedTo(3)));
  });
});
