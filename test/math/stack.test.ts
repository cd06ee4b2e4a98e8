import { describe, expect, it } from "vitest";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { Stack } from "../../shared/math/stack.ts";
import { Embedding } from "../../shared/math/transformer/embedding.ts";
import { TransformerBlock } from "../../shared/math/transformer/transformer-block.ts";

const kernels = plainKernels();
const [rows, positions, width] = [2, 4, 8];
const ids = Float32Array.from({ length: rows * positions }, (_, at) => at % 5);
const outputGradient = Float32Array.from({ length: rows * positions * width }, (_, at) => Math.sin(at));

/** Norm of the step that a stack makes at rate 1, and of each part's share of it. */
function stepOf(clip?: number): { readonly all: number; readonly parts: readonly number[] } {
  const optimizer = { optimizer: "sgd", momentum: 0, ...(clip !== undefined && { clip }) } as const;
  const shared = { positions, width, maxRows: rows, seed: 1, layer: 1, optimizer };
  const parts = {
    embedding: new Embedding(kernels, { ...shared, vocabulary: 5 }),
    block: new TransformerBlock(kernels, { ...shared, heads: 2, depth: 2 }),
  };
  const stack = new Stack(parts);
  const before = Object.entries(stack.tensors()).map(([name, values]) => [name, values.slice()] as const);
  stack.forward(ids, rows);
  stack.backward(outputGradient, rows, false);
  stack.descend(1, rows, 1);
  const squares = (prefix: string) =>
    before
      .filter(([name]) => name.startsWith(prefix))
      .flatMap(([name, old]) => Array.from(old, (x, at) => (stack.tensors()[name]![at]! - x) ** 2))
      .reduce((sum, each) => sum + each, 0);
  return { all: Math.sqrt(squares("")), parts: Object.keys(parts).map((name) => Math.sqrt(squares(name))) };
}

describe("a stack", () => {
  it("clips the gradients of all its parts to one norm, and keeps their shares", () => {
    const [free, clipped] = [stepOf(), stepOf(0.1)];
    expect(Math.min(...free.parts)).toBeGreaterThan(0.1);
    expect(clipped.all).toBeCloseTo(0.1, 5);
    for (const [index, part] of clipped.parts.entries())
      expect(part / clipped.all).toBeCloseTo(free.parts[index]! / free.all, 4);
    expect(stepOf(1000).all).toBeCloseTo(free.all, 5);
  });
});
