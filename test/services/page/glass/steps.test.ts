import { describe, expect, it } from "vitest";
import { contradictionIn, stepsOf, verdictOn, waitsOf } from "../../../../services/page/glass/steps.ts";
import type { Picture, SeenBy } from "../../../../shared/record/seen.ts";

const picture: Picture = { of: [2, 2], rows: 2, columns: 2, values: [1, -1, 0, 2] };
const source: SeenBy = { worker: "source", batch: 7, moments: { sent: 1000, answered: 1009 } };
const guessing: SeenBy = {
  ...{ worker: "layer1", batch: 7, learns: "decoupled", staleness: 3, cosine: 0.5 },
  moments: { received: 1001, began: 1001.5, updated: 1003, sent: 1003.25, answered: 1008, learned: 1008.5 },
  moved: [
    { name: "layer.weight", by: 0.3, from: 100 },
    { name: "layer.bias", by: 0.4, from: 0 },
    { name: "generator.weight", by: 2, from: 10 },
  ],
  pictures: { input: picture, output: picture, guess: picture, target: picture, weights: picture },
};
const head: SeenBy = {
  ...{ worker: "layer2", batch: 7, learns: "head", loss: 0.25 },
  moments: { received: 1004, began: 1004, updated: 1006 },
};
const locked: SeenBy = {
  ...{ worker: "layer1", batch: 7, learns: "locked", staleness: 0 },
  moments: { received: 1001, began: 1001.5, computed: 1002, sent: 1002.5, answered: 1008, updated: 1009 },
};

describe("what happened to a batch", () => {
  it("is told in order of time, from the first on", () => {
    const steps = stepsOf([source, guessing, head]);
    expect(steps.map(({ worker, moment, at }) => [worker, moment, at])).toEqual([
      ["source", "sent", 0],
      ["layer1", "received", 1],
      ["layer1", "updated", 3],
      ["layer1", "sent", 3.25],
      ["layer2", "received", 4],
      ["layer2", "updated", 6],
      ["layer1", "answered", 8],
      ["layer1", "learned", 8.5],
      ["source", "answered", 9],
    ]);
  });

  it("says how far the layer moved, how good its guess was, how late the target, and how far the generator moved", () => {
    const words = (moment: string) => stepsOf([guessing]).find((step) => step.moment === moment)!.words;
    expect(words("updated")).toContain("at once, asking nobody, by 0.500 %");
    expect(words("answered")).toContain("a cosine of 0.500; it has moved 3 times meanwhile");
    expect(words("learned")).toContain("by 20.0 %");
    expect(stepsOf([head]).at(-1)!.words).toContain("the loss, 0.250");
  });

  it("shows guess beside target, and of what nobody kept no picture", () => {
    const names = (of: SeenBy, moment: string) =>
      stepsOf([of])
        .find((step) => step.moment === moment)!
        .pictures.map(({ name }) => name);
    expect(names(guessing, "answered")).toEqual(["guess", "target"]);
    expect(names(guessing, "updated")).toEqual([
      "activation out",
      "gradient followed",
      "which weights moved",
    ]);
    expect(names(head, "updated")).toEqual([]);
  });
});

describe("who waited", () => {
  it("is nobody where layers guess", () => {
    expect(waitsOf([source, guessing, head])).toEqual([]);
    expect(verdictOn([source, guessing, head])).toContain("Nobody waited");
  });

  it("is each layer that had its output and not its gradient, for so long", () => {
    expect(waitsOf([source, locked, head])).toEqual([{ worker: "layer1", from: 2, to: 8 }]);
    expect(verdictOn([source, locked, head])).toBe("layer 1 waited 6.00 ms for what came after it.");
    expect(stepsOf([locked]).at(-1)!.words).toContain("after 6.00 ms of waiting");
  });

  it("is not said where no layer told", () => {
    expect(verdictOn([source, { worker: "layer1", batch: 7, moments: {}, refusal: "away" }])).toBe("");
  });
});

it("clocks that have a batch arrive before it was sent contradict each other, and others do not", () => {
  expect(contradictionIn([source, guessing, head])).toBe(0);
  expect(contradictionIn([source, { ...guessing, moments: { received: 990 } }])).toBe(10);
  expect(contradictionIn([source, { worker: "layer1", batch: 7, moments: {} }])).toBe(0);
});
