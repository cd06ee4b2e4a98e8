import { expect, it } from "vitest";
import { ConfigError, loadConfig } from "../../shared/config/read-config.ts";

const tokens = (vocabulary: number, batchSize: number) =>
  loadConfig("configs/gpt/gpt2-tokens.yaml", [
    `data.vocabulary=${vocabulary}`,
    `layers.3.outputs=${vocabulary}`,
    `run.batchSize=${batchSize}`,
  ]).config;

it("a head may give more than travels of an example: all 50,256 tokens of GPT-2 at 32 positions", () => {
  expect(tokens(50_256, 10).layers.at(-1)?.outputs).toBe(32 * 50_256);
});

it("what it gives in a batch has room in a process, or is refused before a run begins", () => {
  expect(() => tokens(50_256, 12)).toThrow(ConfigError);
  expect(() => tokens(50_256, 12)).toThrow(
    "run.batchSize is 12: the head would give 19298304 floats a batch, at most 16777216",
  );
});

it("what a hidden layer gives travels, and stays bounded for an example", () => {
  const set = [
    "layers=[{kind: embedding, width: 8}, {kind: readout, outputs: 4096}, {kind: readout, outputs: 1024}]",
  ];
  expect(() => loadConfig("configs/gpt/gpt2-tokens.yaml", set)).toThrow(
    "layers.1.outputs is 131072: layer 2 would give so many floats an example, at most 65536",
  );
});
