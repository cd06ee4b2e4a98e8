import { describe, expect, it } from "vitest";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { normal, seededRandom } from "../../../shared/math/random.ts";
import { Embedding } from "../../../shared/math/transformer/embedding.ts";
import { centralDifferences, distance, sum } from "../double-oracle.ts";

const shape = { vocabulary: 5, positions: 3, width: 2 };
const rows = 2;
/** Id 4 twice, in one sequence and across two; id 0 never. */
const ids = Float32Array.from([4, 1, 4, 2, 4, 3]);

function embedding(): Embedding {
  const optimizer = { optimizer: "sgd", momentum: 0 } as const;
  return new Embedding(plainKernels(), { ...shape, maxRows: 3, seed: 1, layer: 1, optimizer });
}

function looked(token: readonly number[], place: readonly number[]): number[] {
  return Array.from(ids).flatMap((id, at) =>
    [0, 1].map((i) => token[id * 2 + i]! + place[(at % shape.positions) * 2 + i]!),
  );
}

describe("an embedding", () => {
  it("adds the vector of an id and that of its place", () => {
    const layer = embedding();
    const { token, place } = layer.tensors();
    const expected = looked(Array.from(token!), Array.from(place!));
    expect(distance(layer.forward(ids, rows), expected)).toBeLessThan(1e-7);
    expect(distance(layer.evaluate(ids, rows), expected)).toBeLessThan(1e-7);
  });

  it("descends by the mean gradient over all positions, and leaves ids alone that did not occur", () => {
    const layer = embedding();
    const token = Array.from(layer.tensors().token!);
    const place = Array.from(layer.tensors().place!);
    const random = seededRandom(7);
    const gradient = Float32Array.from({ length: rows * 3 * 2 }, () => normal(random));
    const loss = () => sum(looked(token, place).map((x, i) => x * gradient[i]!));
    layer.forward(ids, rows);
    expect(layer.backward(gradient, rows)).toBeUndefined();
    layer.descend(1, rows, 1);
    for (const [name, before] of [["token", token] as const, ["place", place] as const]) {
      const expected = centralDifferences(loss, before).map((slope, i) => before[i]! - slope / 6);
      expect(distance(layer.tensors()[name]!, expected), name).toBeLessThan(1e-5);
    }
    expect(Array.from(layer.tensors().token!.subarray(0, 2))).toEqual(token.slice(0, 2));
  });

  it.each([-1, 5, 1.5, Number.NaN])("refuses id %s", (id) => {
    const wrong = ids.slice();
    wrong[1] = id;
    expect(() => embedding().forward(wrong, rows)).toThrow(`Cannot embed: id ${id}, expected 0 to 4`);
  });
});
