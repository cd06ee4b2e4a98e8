import { describe, expect, it } from "vitest";
import { mistakesOf, shortest } from "./mistakes-of.ts";

describe("a mistake in the layers, or in how they learn,", () => {
  it.each<[string, string[], string]>([
    [
      "a mixture with nothing",
      ["learning={method: backprop, mixture: 0.5}"],
      "learning.mixture is 0.5: backprop makes no guesses to mix with, dni and cdni do",
    ],
    [
      "a gradient that may not come",
      ["learning.updateProbability=0.5", "layers.0.method=backprop"],
      "learning.updateProbability is 0.5: layer 1 waits for every gradient, and would not get them all",
    ],
    [
      "a head that is to guess",
      ["layers.1.method=local"],
      'layers.1.method is "local": the head has the loss',
    ],
    [
      "a classifier that may not look",
      ["learning={method: dni, generator: {form: classifying}}"],
      'learning.generator.form is "classifying": it looks at output and labels, and at nothing else, and has no hidden layers',
    ],
    [
      "inputs to guess for layers that wait",
      ["learning={method: backprop, inputGenerator: {rate: 0.1, hidden: []}}"],
      "learning.inputGenerator is a map: layer 1 waits for its gradient; inputs are guessed for dni, cdni and frozen, without a mixture",
    ],
    [
      "inputs to guess for layers with a loss",
      ["learning.inputGenerator={rate: 0.1, hidden: []}", "layers.0.method=local"],
      "learning.inputGenerator is a map: layer 1 has a loss of its own; inputs are guessed for dni, cdni and frozen, without a mixture",
    ],
    [
      "another way to guess inputs",
      ["learning.inputGenerator=linear"],
      'learning.inputGenerator is "linear": expected none or {rate: …, hidden: […]}',
    ],
    [
      "nothing to normalise",
      ["learning.generator.batchNorm=true"],
      "learning.generator.batchNorm is true: a linear generator has nothing to normalise, hidden has no layers",
    ],
    ["no number", ["learning.layer.rate=.nan"], "learning.layer.rate is NaN: expected a number above 0"],
    [
      "an infinite one",
      ["learning.layer.rate=.inf"],
      "learning.layer.rate is Infinity: expected a number above 0",
    ],
    ["no layers", ["layers=[]"], "layers is a list: expected a list of layers, the first layer first"],
    [
      "a first layer too wide",
      ["layers.0.inputs=3"],
      "layers.0.inputs is 3: layer 1 takes 3 inputs, two-rings gives 2",
    ],
    [
      "two nonlinearities",
      ["layers.1.nonlinearity=sigmoid"],
      'layers.1.nonlinearity is "sigmoid": softmax-cross-entropy has its own nonlinearity, the head\'s must be identity',
    ],
    [
      "labels for the blind",
      ["learning={method: dni, generator: {evidence: [output, labels]}}"],
      'learning.generator.evidence.1 is "labels": dni is blind to labels, with them it is cdni',
    ],
    [
      "no labels for cdni",
      ["learning.generator.evidence=[output]"],
      "learning.generator.evidence is a list: cdni is conditioned on labels, without them it is dni",
    ],
    [
      "evidence twice",
      ["learning.generator.evidence=[labels, labels]"],
      'learning.generator.evidence.1 is "labels": it is there already',
    ],
    [
      "momentum in Adam",
      ["learning.layer.momentum=0.9"],
      "learning.layer.momentum is 0.9: adam has none, only sgd has",
    ],
    [
      "a window for a mixture",
      ["learning.mixture=0.5", "delivery.window=4"],
      "delivery.window is 4: a mixture waits for every gradient, its window is 1",
    ],
    [
      "staleness for a mixture",
      ["learning.mixture=0.5", "delivery.schedule={staleness: 2}"],
      "delivery.schedule.staleness is 2: a mixture waits for every gradient, its staleness is 1",
    ],
    [
      "late gradients for backprop that waits",
      ["learning={method: backprop, late: {weights: present}}"],
      "learning.late is a map: no gradient comes late: that takes method backprop and delivery.window above 1",
    ],
    [
      "late gradients for cdni",
      ["learning={late: {slowFor: 10}}", "delivery.window=4"],
      "learning.late is a map: no gradient comes late: that takes method backprop and delivery.window above 1",
    ],
    [
      "beta1 in SGD",
      ["learning.layer={optimizer: sgd, beta1: 0.5}"],
      "learning.layer.beta1 is 0.5: sgd has none, only adam and nadam have",
    ],
    ["no such layer", ["layers.2.outputs=3"], "layers has entries 0 to 1, there is no 2"],
    [
      "a key of a number",
      ["layers.0.outputs.x=3"],
      "--set layers.0.outputs.x: layers.0.outputs is 8, it has no x",
    ],
    [
      "more layers than a run can tell of",
      [`layers=[${"{outputs: 2}, ".repeat(1024)}{outputs: 2}]`],
      "expected at most 1024 layers",
    ],
  ])("is told: %s", (_, overrides, told) => {
    const mistakes = mistakesOf(shortest, ...overrides);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(told);
  });
});
