import { describe, expect, it } from "vitest";
import type { NetworkOptions } from "../../shared/dni/build-layer.ts";
import type { LateLayer } from "../../shared/dni/late-layer.ts";
import type { LateOptions } from "../../shared/dni/layer-options.ts";
import { buildLayer, referenceChain } from "../../shared/layers/network.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { drawn, learningOf, networkOf, sgd } from "./network.ts";
import { twoRings } from "./two-rings.ts";

const kernels = plainKernels();
const ROWS = 8;
const RATE = 0.3;
const BATCHES = 24;

function networkWith(late: LateOptions | undefined, run: object = {}): NetworkOptions {
  const learning = learningOf({ method: "backprop", layer: sgd(RATE), ...(late && { late }) });
  const network = networkOf([2, 5, 4, 2], { run: { batchSize: ROWS, batches: BATCHES, ...run }, learning });
  const layers = network.layers.map((layer) => ({
    ...layer,
    batchNorm: false,
    nonlinearity: layer.nonlinearity === "relu" ? ("tanh" as const) : layer.nonlinearity,
  }));
  return { ...network, layers };
}

function trained(network: NetworkOptions, staleness: number): number[][] {
  const chain = referenceChain(kernels, network, { staleness });
  for (const batch of range(BATCHES)) chain.train(twoRings(1, batch, ROWS), batch);
  return chain.layers.map((layer) => Object.values(layer.state().tensors).flatMap((each) => [...each]));
}

type Matrix = number[][];

/** A dense layer in double precision: rows of `weight`, the bias as the last of them. */
class Dense {
  weights: Matrix;

  constructor(weight: Float32Array, bias: Float32Array) {
    const columns = bias.length;
    this.weights = [...range(weight.length / columns), -1].map((row) =>
      row === -1 ? [...bias] : [...weight.subarray(row * columns, (row + 1) * columns)],
    );
  }

  forward(input: Matrix): Matrix {
    return input.map((x) =>
      this.weights[0]!.map((_, j) =>
        [...x, 1].reduce((sum, value, i) => sum + value * this.weights[i]![j]!, 0),
      ),
    );
  }
}

/** Everything kept for ever: what each batch was computed with is looked up when its gradient is followed. */
function byHand(staleness: number, { weights, slowFor = 0 }: LateOptions, settledBefore: number[]): Dense[] {
  const built = [1, 2, 3].map(
    (number) => buildLayer(kernels, networkWith({ weights }), number).state().tensors,
  );
  const dense = built.map((tensors) => new Dense(tensors["layer.weight"]!, tensors["layer.bias"]!));
  const [first, second, head] = dense as [Dense, Dense, Dense];
  const kept: { inputs: [Matrix, Matrix]; weights: [Matrix, Matrix]; gradient: Matrix }[] = [];
  const descend = (layer: Dense, input: Matrix, gradient: Matrix, rate: number) => {
    layer.weights = layer.weights.map((row, i) =>
      row.map(
        (w, j) => w - (rate * input.reduce((sum, x, r) => sum + [...x, 1][i]! * gradient[r]![j]!, 0)) / ROWS,
      ),
    );
  };
  let followed = 0;
  const follow = (made: number) => {
    const { inputs, weights: old, gradient } = kept[followed]!;
    // Updates since its forward pass, and this one.
    const late = followed - made + 1;
    const rate = RATE * (followed < slowFor ? late ** (followed / slowFor - 1) : 1);
    const through = (k: 0 | 1) => (weights === "stashed" ? old[k] : dense[k]!.weights);
    const outer = back(through(1), inputs[1], gradient);
    descend(second, inputs[1], outer.own, rate);
    const inner = back(through(0), inputs[0], outer.before);
    descend(first, inputs[0], inner.own, rate);
    followed++;
  };
  const made: number[] = [];
  const tanh = (rows: Matrix) => rows.map((row) => row.map(Math.tanh));
  for (const batch of range(BATCHES)) {
    const { input, labels } = twoRings(1, batch, ROWS);
    const rows = range(ROWS).map((r) => [...input.subarray(2 * r, 2 * r + 2)]);
    const middle = tanh(first.forward(rows));
    const last = tanh(second.forward(middle));
    made.push(followed);
    const own = head.forward(last).map((logits, r) => {
      const total = logits.reduce((sum, each) => sum + Math.exp(each), 0);
      return logits.map((each, j) => Math.exp(each) / total - Number(labels[r] === j));
    });
    const gradient = own.map((row) =>
      head.weights.slice(0, -1).map((w) => w.reduce((sum, each, j) => sum + each * row[j]!, 0)),
    );
    kept.push({ inputs: [rows, middle], weights: [first.weights, second.weights], gradient });
    descend(head, last, own, RATE);
    const due = settledBefore.includes(batch + 1) ? batch : batch + 1 - staleness;
    while (followed <= due) follow(made[followed]!);
  }
  return dense;
}

/** dL/d(input) of tanh(input · weights), and dL/d(input · weights). */
function back(through: Matrix, input: Matrix, gradient: Matrix): { own: Matrix; before: Matrix } {
  const twin = new Dense(new Float32Array(0), new Float32Array(0));
  twin.weights = through;
  const own = twin
    .forward(input)
    .map((row, r) => row.map((value, j) => gradient[r]![j]! * (1 - Math.tanh(value) ** 2)));
  const before = own.map((row) =>
    through.slice(0, -1).map((w) => w.reduce((sum, each, j) => sum + each * row[j]!, 0)),
  );
  return { own, before };
}

function farthest(one: number[][], other: Dense[]): number {
  return Math.max(
    ...one.flatMap((values, layer) => {
      const flat = other[layer]!.weights.flat();
      return flat.map((value, i) => Math.abs(value - values[i]!));
    }),
  );
}

describe("asynchronous backprop", () => {
  it.each([
    [1, { weights: "stashed" }],
    [2, { weights: "stashed" }],
    [5, { weights: "stashed" }],
    [5, { weights: "present" }],
    [5, { weights: "stashed", slowFor: 16 }],
  ] as const)("at staleness %i, %j, is what everything written out comes to", (staleness, late) => {
    const found = trained(networkWith(late), staleness);
    expect(farthest(found, byHand(staleness, late, [BATCHES]))).toBeLessThan(1e-5);
    // The control: one batch later is something else.
    expect(farthest(found, byHand(staleness + 1, late, [BATCHES]))).toBeGreaterThan(1e-4);
  });

  it("tells stashed weights from present ones, and a rate that rises with the delay", () => {
    const found = trained(networkWith({ weights: "stashed" }), 5);
    for (const other of [{ weights: "present" }, { weights: "stashed", slowFor: 16 }] as const)
      expect(farthest(found, byHand(5, other, [BATCHES]))).toBeGreaterThan(1e-4);
  });

  it("follows every gradient before the network is judged or saved", () => {
    const late = { weights: "stashed" } as const;
    const found = trained(networkWith(late, { evaluateEvery: 10, snapshotEvery: 7 }), 5);
    expect(farthest(found, byHand(5, late, [7, 10, 14, 20, 21, BATCHES]))).toBeLessThan(1e-5);
    expect(farthest(found, byHand(5, late, [BATCHES]))).toBeGreaterThan(1e-4);
  });

  it("at staleness 1 is backprop that waits, bit for bit", () => {
    expect(trained(networkWith({ weights: "stashed" }), 1)).toEqual(trained(networkWith(undefined), 1));
  });
});

describe("a late layer", () => {
  const example = { rows: ROWS, input: drawn(ROWS * 2, 1), labels: new Float32Array(0) };
  const gradient = drawn(ROWS * 5, 2);
  const layerOf = () => buildLayer(kernels, networkWith({ weights: "stashed" }), 1) as LateLayer;
  const weightsOf = (layer: LateLayer) => structuredClone(layer.state().tensors);

  it("keeps no more stashes than batches are on their way, and forgets those that are not answered", () => {
    const layer = layerOf();
    for (const ticket of range(4)) layer.forward(example, ticket);
    layer.forget([1, 2, 99]);
    expect(layer.waiting).toBe(2);
    layer.forward(example, 3);
    expect(layer.waiting).toBe(2);
    expect(() => layer.backward(1, gradient, { rows: ROWS, batch: 0 })).toThrow(
      "ticket 1 of batch 0 is not known",
    );
  });

  it("answers without learning where it is told to, and its weights stay", () => {
    const layer = layerOf();
    layer.forward(example, 0);
    layer.forward(example, 1);
    const before = weightsOf(layer);
    layer.backward(0, gradient, { rows: ROWS, batch: 0, learns: false });
    expect(weightsOf(layer)).toEqual(before);
    layer.backward(1, gradient, { rows: ROWS, batch: 0 });
    expect(weightsOf(layer)).not.toEqual(before);
  });
});
