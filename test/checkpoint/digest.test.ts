import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { weightsDigest } from "../../shared/checkpoint/digest.ts";

const weights = Float32Array.of(1, -2);
const bias = Float32Array.of(0.5);

test("is the SHA-256 of names, lengths and floats in order of names", () => {
  const spelled = Buffer.from(
    `${hexName("generator.bias")}0100000000000000${"0000003f"}${hexName("layer.weights")}0200000000000000${"0000803f000000c0"}`,
    "hex",
  );
  const expected = createHash("sha256").update(spelled).digest("hex");
  expect(weightsDigest({ "layer.weights": weights, "generator.bias": bias })).toBe(expected);
  expect(weightsDigest({ "generator.bias": bias, "layer.weights": weights })).toBe(expected);
});

function hexName(name: string): string {
  return `${Buffer.from(name).toString("hex")}00`;
}

test("looks at what is learnt, not at the optimizer", () => {
  const learnt = { "layer.weights": weights };
  expect(weightsDigest({ ...learnt, "optimizer.layer.weights.moment": bias })).toBe(weightsDigest(learnt));
  expect(weightsDigest({ ...learnt, "layer.bias": bias })).not.toBe(weightsDigest(learnt));
  expect(weightsDigest({ ...learnt, "inputGenerator.bias": bias })).not.toBe(weightsDigest(learnt));
  expect(weightsDigest({ ...learnt, "optimizer.inputGenerator.bias": bias })).toBe(weightsDigest(learnt));
});

test("any change of a float, a name or a boundary changes it", () => {
  const digests = [
    { "layer.a": Float32Array.of(1, 2), "layer.b": Float32Array.of(3) },
    { "layer.a": Float32Array.of(1), "layer.b": Float32Array.of(2, 3) },
    { "layer.a": Float32Array.of(1, 2), "layer.c": Float32Array.of(3) },
    { "layer.a": Float32Array.of(1, 2), "layer.b": Float32Array.of(3.0000002) },
    { "layer.a": Float32Array.of(1, 2), "layer.b": Float32Array.of(3), "layer.c": Float32Array.of() },
    { "layer.a": Float32Array.of(0, 2), "layer.b": Float32Array.of(3) },
    { "layer.a": Float32Array.of(-0, 2), "layer.b": Float32Array.of(3) },
  ].map(weightsDigest);
  expect(new Set(digests).size).toBe(digests.length);
});

test("sees only its part of a larger array", () => {
  const arena = Float32Array.of(9, 1, -2, 9);
  expect(weightsDigest({ "layer.weights": arena.subarray(1, 3) })).toBe(
    weightsDigest({ "layer.weights": weights }),
  );
});
