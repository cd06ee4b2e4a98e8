import { describe, expect, it } from "vitest";
import { EvidenceStore } from "../../shared/dni/evidence.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";

const kernels = plainKernels();

function storeOf(capacity: number, input = 0): EvidenceStore {
  return new EvidenceStore(kernels, capacity, { widths: { output: 2, labels: 1, input }, maxRows: 3 });
}

/** Every number says which batch it is of. */
function evidenceOf(batch: number, rows = 3) {
  return {
    rows,
    output: new Float32Array(rows * 2).fill(batch),
    labels: new Float32Array(rows).fill(batch),
    input: new Float32Array(rows * 4).fill(batch),
  };
}

describe("an evidence store", () => {
  it("gives back each batch's own evidence, once", () => {
    const store = storeOf(3);
    for (const batch of [5, 6, 7]) store.keep(batch, evidenceOf(batch));
    for (const batch of [6, 5, 7]) {
      expect(store.take(batch)?.output[0]).toBe(batch);
      expect(store.take(batch)).toBeUndefined();
    }
    expect(store.size).toBe(0);
  });

  it("keeps a copy: what the caller does to its arrays later does not reach it", () => {
    const store = storeOf(1);
    const evidence = evidenceOf(5);
    store.keep(5, evidence);
    evidence.output.fill(99);
    evidence.labels.fill(99);
    expect(store.peek(5)?.output[5]).toBe(5);
    expect(store.take(5)?.labels[2]).toBe(5);
  });

  it("never holds more than its capacity: one more pushes out the one kept longest ago, and says so", () => {
    const store = storeOf(2);
    expect([1, 2, 3, 4].map((batch) => store.keep(batch, evidenceOf(batch)))).toEqual([
      undefined,
      undefined,
      1,
      2,
    ]);
    expect(store.batches()).toEqual([3, 4]);
    expect(store.take(1)).toBeUndefined();
    expect(store.take(4)?.output[0]).toBe(4);
  });

  it("replaces the evidence of a batch that comes again, pushing nothing out", () => {
    const store = storeOf(2);
    store.keep(1, evidenceOf(1));
    store.keep(2, evidenceOf(2));
    expect(store.keep(1, { ...evidenceOf(9), rows: 2 })).toBeUndefined();
    expect(store.batches()).toEqual([2, 1]);
    expect(store.take(1)).toMatchObject({ rows: 2, output: { 0: 9 } });
    expect(store.take(2)?.output[0]).toBe(2);
  });

  it("has room again after it was taken from or cleared", () => {
    const store = storeOf(2);
    store.keep(1, evidenceOf(1));
    store.keep(2, evidenceOf(2));
    store.take(1);
    expect(store.keep(3, evidenceOf(3))).toBeUndefined();
    store.clear();
    expect([store.size, store.take(2), store.take(3)]).toEqual([0, undefined, undefined]);
    expect([4, 5].map((batch) => store.keep(batch, evidenceOf(batch)))).toEqual([undefined, undefined]);
  });

  it("holds the network's input only where it was told to", () => {
    const [without, along] = [storeOf(1), storeOf(1, 4)];
    without.keep(1, evidenceOf(1));
    along.keep(1, evidenceOf(1));
    expect(without.take(1)?.input).toBeUndefined();
    expect(along.take(1)?.input?.[11]).toBe(1);
  });

  it("refuses what it has no room for, and keeps what it had", () => {
    const store = storeOf(1, 4);
    store.keep(1, evidenceOf(1));
    expect(() => store.keep(2, evidenceOf(2, 4))).toThrow(
      "Cannot keep evidence of batch 2: 4 rows, room for 3",
    );
    const { input: _, ...blind } = evidenceOf(2);
    expect(() => store.keep(2, blind)).toThrow("Cannot keep evidence of batch 2: it has no input");
    expect(store.batches()).toEqual([1]);
    expect(() => storeOf(0)).toThrow("capacity is 0");
  });

  it("allocates room for what it keeps at once, and none for what takes a place that is free", () => {
    let allocations = 0;
    const allocate = (length: number) => {
      allocations++;
      return kernels.allocate(length);
    };
    const widths = { output: 2, labels: 1, input: 4 };
    const store = new EvidenceStore({ ...kernels, allocate }, 2, { widths, maxRows: 3 });
    expect(allocations).toBe(0);
    const parts = 3;
    for (let batch = 0; batch < 10; batch++) {
      store.keep(batch, evidenceOf(batch));
      store.take(batch);
    }
    expect(allocations).toBe(parts);
    for (let batch = 10; batch < 20; batch++) store.keep(batch, evidenceOf(batch));
    expect(allocations).toBe(2 * parts);
  });

  it.each([0, 4])(
    "is the same in a store that it is restored into, from a batch on (an input of %i)",
    (width) => {
      const [store, other] = [storeOf(4, width), storeOf(4, width)];
      for (const batch of [9, 10, 11, 12]) store.keep(batch, evidenceOf(batch, 1 + (batch % 2)));
      const { tensors, counters } = store.stateSince(10);
      const strange = { "layer.weight": Float32Array.of(1), "sent.10.output": Float32Array.of(1) };
      other.restore({ tensors: { ...tensors, ...strange }, counters: { ...counters, "layer.steps": 3 } });
      expect(other.batches()).toEqual([10, 11, 12]);
      for (const batch of other.batches()) expect(other.peek(batch)).toEqual(store.peek(batch));
    },
  );
});
