import { expect, it } from "vitest";
import { loadConfig } from "../../shared/config/read-config.ts";
import { lossWords, textLoss } from "../../shared/record/text-loss.ts";

const tiny = (...set: string[]) => loadConfig("configs/gpt/tiny.yaml", set).config;

it("a network that knows nothing of 16 equally likely units has perplexity 16, and needs 4 bits", () => {
  const { perplexity, bits } = textLoss(tiny(), Math.log(16))!;
  expect(perplexity).toBeCloseTo(16, 12);
  expect(bits).toBeCloseTo(4, 12);
});

it("the unit is what an id of the text stands for", () => {
  const outputs = (count: number) => `layers.${tiny().layers.length - 1}.outputs=${count}`;
  expect(textLoss(tiny(), 1)?.unit).toBe("character");
  expect(textLoss(tiny("data.units=bytes", outputs(256)), 1)?.unit).toBe("byte");
  expect(textLoss(loadConfig("configs/gpt/gpt2-tokens.yaml").config, 1)?.unit).toBe("token");
});

it("says nothing of bits where the data are no text, or the loss is none of probabilities", () => {
  const mnist = loadConfig("configs/mnist.yaml").config;
  expect(textLoss(mnist, 1)).toBeUndefined();
  expect(lossWords(mnist, 0.06)).toBe("loss 0.060");
  expect(textLoss({ ...tiny(), loss: "mean-squared-error" }, 1)).toBeUndefined();
  expect(textLoss(tiny(), undefined)).toBeUndefined();
});
