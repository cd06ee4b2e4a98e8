import { describe, expect, it } from "vitest";
import { linksOf } from "../../../../services/page/chain/links.ts";
import { worker } from "../lines.ts";

const NOW = 10_000;

/** Activations 400 and 300 bytes a second, gradients 200 and 100. */
const source = worker("source", { sendsPerSecond: 400, receivesPerSecond: 200, inFlight: 3, window: 4 });
const layer1 = worker("layer1", { sendsPerSecond: 300 + 200, receivesPerSecond: 400 + 100, staleness: 2.5 });
const layer2 = worker("layer2", { sendsPerSecond: 100, receivesPerSecond: 300, perSecond: 9 });

describe("a link", () => {
  it("has the bytes that are left of a worker's when those of its other link are taken away", () => {
    const [first, second] = linksOf([source, layer1, layer2], NOW);
    expect(first).toMatchObject({ tone: "flowing", forward: 400, back: 200, inFlight: 3, window: 4 });
    expect(second).toMatchObject({ forward: 300, back: 100, staleness: 2.5, activationsPerSecond: 9 });
  });

  it("does not say bytes behind a worker that told nothing of late", () => {
    const [, second] = linksOf([{ ...source, heardAt: 0 }, layer1, layer2], NOW);
    expect(second!.forward).toBeUndefined();
    expect(second).toMatchObject({ tone: "flowing" });
  });

  it("is broken at both sides of a dead layer, and has no rate there", () => {
    const links = linksOf([source, { ...layer1, contact: "dead", heardAt: 0 }, layer2], NOW);
    expect(links.map(({ tone }) => tone)).toEqual(["broken", "broken"]);
    expect(links.map(({ activationsPerSecond }) => activationsPerSecond)).toEqual([undefined, undefined]);
  });

  it("is still while nothing passes", () => {
    expect(linksOf([source, { ...layer1, perSecond: 0 }], NOW)[0]).toMatchObject({ tone: "still" });
  });
});

it("says no bytes where less than nothing would be left, since figures changed meanwhile", () => {
  const [, second] = linksOf([source, { ...layer1, sendsPerSecond: 150 }, layer2], NOW);
  expect(second!.forward).toBeUndefined();
});
