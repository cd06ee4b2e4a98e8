import { expect, it } from "vitest";
import { Barrier } from "../../../services/layer/barrier.ts";
import type { SavedLayer, SnapshotFrame } from "../../../shared/wire/frames.ts";

const own: SavedLayer = { layer: 1, digest: "1".repeat(64) };
const next: SavedLayer = { layer: 2, digest: "2".repeat(64) };

function after(snapshot: string): SnapshotFrame {
  return { kind: "snapshot", snapshot, saved: [next], test: { loss: 1, error: 0.5 } };
}

it("passes on what was saved once it has both its own and its successors', in either order", () => {
  const expected = { ...after("a"), saved: [own, next] };
  for (const isOwnFirst of [true, false]) {
    const barrier = new Barrier();
    barrier.begin("a");
    const told = isOwnFirst
      ? [barrier.saved("a", own), barrier.heard(after("a"))]
      : [barrier.heard(after("a")), barrier.saved("a", own)];
    expect(told).toEqual([undefined, expected]);
  }
});

it("needs nobody's word in a head", () => {
  const barrier = new Barrier();
  barrier.begin("a", { saved: [] });
  expect(barrier.saved("a", own)).toEqual({ kind: "snapshot", snapshot: "a", saved: [own] });
});

it("does not mix two barriers, and tells of each at most once", () => {
  const barrier = new Barrier();
  barrier.begin("a");
  barrier.saved("a", own);
  barrier.begin("b");
  expect(barrier.heard(after("a"))).toBeUndefined();
  expect(barrier.heard(after("b"))).toBeUndefined();
  expect(barrier.saved("a", own)).toBeUndefined();
  expect(barrier.saved("b", own)).toBeDefined();
  expect(barrier.saved("b", own)).toBeUndefined();
});
