import { describe, expect, it } from "vitest";
import { DecoupledLayer } from "../../shared/dni/decoupled-layer.ts";
import { Head } from "../../shared/dni/head.ts";
import { UpdateLottery } from "../../shared/dni/update-lottery.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { range } from "../math/double-oracle.ts";
import { classes, drawn, layerOptionsOf, learningOf, snapshotOf } from "./network.ts";

const kernels = plainKernels();
const options = (updateProbability: number, layer = 2) =>
  layerOptionsOf({ layer, learning: learningOf({ updateProbability }) });
const taken = (turns: UpdateLottery) => range(2000).filter((batch) => turns.takes(batch));

describe("turns", () => {
  it("come with the probability that was asked for, each layer by itself", () => {
    const [two, three] = [2, 3].map((layer) => taken(new UpdateLottery(options(0.2, layer))));
    for (const turns of [two!, three!]) expect(Math.abs(turns.length / 2000 - 0.2)).toBeLessThan(0.03);
    const both = two!.filter((batch) => three!.includes(batch)).length;
    expect(Math.abs(both / 2000 - 0.04)).toBeLessThan(0.015);
    expect(taken(new UpdateLottery(options(1)))).toHaveLength(2000);
  });

  it("count an optimizer's steps by what was learnt, since its memory is only so old", () => {
    const turns = new UpdateLottery(options(0.5));
    expect([turns.next(10), turns.next(17)]).toEqual([1, 2]);
    expect(new UpdateLottery(options(1)).next(10)).toBe(11);
  });
});

describe.each([DecoupledLayer, Head])("a layer that learns now and then (%s)", (Kind) => {
  const shape = Kind === Head ? ({ outputs: 2, nonlinearity: "identity", batchNorm: false } as const) : {};
  const build = () => new Kind(kernels, { ...options(0.5), ...shape });
  const example = { rows: 8, input: drawn(32, 1), labels: classes(8, 2) };
  const weight = (layer: { state(): ReturnType<DecoupledLayer["state"]> }) =>
    snapshotOf(layer).tensors["layer.weight"];

  it("answers and moves exactly when it is its turn", () => {
    const layer = build();
    const turns = new UpdateLottery(options(0.5));
    for (const name of ["generator.bias"]) layer.state().tensors[name]?.fill(1);
    for (const batch of range(20)) {
      const before = weight(layer);
      const { inputGradient } = layer.update(example, batch);
      expect(inputGradient !== undefined).toBe(turns.takes(batch));
      if (turns.takes(batch)) expect(weight(layer)).not.toEqual(before);
      else expect(weight(layer)).toEqual(before);
    }
  });

  it("goes on from its state as if nothing had happened", () => {
    const [one, other] = [build(), build()];
    for (const batch of range(9)) one.update(example, batch);
    other.restore(snapshotOf(one));
    for (const batch of [9, 10, 11, 12]) for (const layer of [one, other]) layer.update(example, batch);
    expect(snapshotOf(other)).toEqual(snapshotOf(one));
  });
});
