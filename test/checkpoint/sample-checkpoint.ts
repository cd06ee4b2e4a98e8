import type { Checkpoint } from "../../shared/checkpoint/checkpoint.ts";

/** A small checkpoint whose tensors can be told from any other cursor's. */
export function sampleCheckpoint(changes: Partial<Checkpoint> = {}): Checkpoint {
  const cursor = changes.cursor ?? 40;
  return {
    run: "rehearsal",
    layer: 2,
    incarnation: 3,
    cursor,
    batches: 1_000_000,
    configHash: "c0ffee",
    finished: false,
    ledger: cursor < 0 ? [] : [[0, cursor]],
    counters: { step: cursor + 1, restarts: 2 },
    tensors: { "layer.weights": filled(6, cursor), "optimizer.layer.moment": filled(3, cursor / 2) },
    ...(changes.tensors === undefined && { shapes: { "layer.weights": [2, 3] } }),
    ...changes,
  };
}

export function filled(length: number, value: number): Float32Array {
  return new Float32Array(length).fill(value);
}
