import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { configHash, hashedJson } from "../../shared/config/hash.ts";
import { loadConfig, readConfig } from "../../shared/config/read-config.ts";

describe("the hash of a config", () => {
  // Else checkpoints of runs from before would be refused.
  it.each([
    ["binary-addition", [], "b25df872df43355343bd7f9855a7b8804033bb5f40886c119b670da775c0b070"],
    ["fashion/cdni", [], "fd9546914202d58452d7b7aa429b0b0222bed5890c199b66d06c63e85497e8ee"],
    ["paper/conv/conv4-cdni", [], "19fec3d9e062ace1827711830a631f4eb2f262655b2ae2ae702d74e15e0514a6"],
    [
      "mnist",
      ["data.augment={shift: 2, mirror: true}"],
      "96383b6e3335ad5cbca9923e96b83ee88421ab385b016197537012fdb89e2155",
    ],
  ])("of configs/%s.yaml %j is what it was in 2026", (name, set, hash) => {
    expect(configHash(loadConfig(`configs/${name}.yaml`, set).config)).toBe(hash);
  });

  it("is that of a text which says all that neighbours must agree on", () => {
    const text =
      "data: {set: two-rings, noise: 1.0e-7}\nlayers: [{outputs: 3}, {outputs: 2}]\nrun: {batches: 1000}";
    const { config } = readConfig(text, "x.yaml", ["learning.layer.rate=0.0000001"]);
    const json =
      '{"data":{"heldOut":1000,"noise":1e-7,"set":"two-rings"},' +
      '"delivery":{"schedule":"free","stalenessBudget":64,"window":4},' +
      '"layers":[{"batchNorm":true,"inputs":2,"nonlinearity":"relu","outputs":3},' +
      '{"batchNorm":false,"inputs":3,"nonlinearity":"identity","outputs":2}],' +
      '"learning":{"generator":{"evidence":["output","labels"],"form":"classifying","momentum":0,' +
      '"optimizer":"adam","rate":0.001,"schedule":{"kind":"cosine"}},' +
      '"layer":{"momentum":0,"optimizer":"adam","rate":1e-7,"schedule":{"kind":"cosine"}},"method":"cdni"},' +
      '"loss":"softmax-cross-entropy",' +
      '"run":{"batchSize":64,"batches":1000,"evaluateEvery":100,"snapshotEvery":100},' +
      '"seed":0,"wire":{"dtype":"f32"}}';
    expect(hashedJson(config)).toBe(json);
    expect(configHash(config)).toBe(createHash("sha256").update(json, "utf8").digest("hex"));
  });
});
