import { expect, it } from "vitest";
import { Predecessor } from "../../../services/layer/predecessor.ts";
import { type Identity, introductionOf } from "../../../services/worker/identity.ts";
import { readConfig } from "../../../shared/config/read-config.ts";
import { CloseCode, type HelloFrame } from "../../../shared/wire/frames.ts";

const { config } = readConfig(
  `
data: { set: two-rings, heldOut: 10 }
layers: [{ outputs: 3 }, { outputs: 2 }]
run: { batchSize: 4, batches: 10, evaluateEvery: 10 }
wire: { dtype: f16 }
`,
  "a test",
);
const ids = { run: "run", configHash: "hash", batches: 10, incarnation: 1, instance: "own" };
const second: Identity = { layer: 2, ...ids };

/** Layer 1 introduces itself to layer 2. */
function hello(incarnation: number, other: Partial<HelloFrame> = {}): HelloFrame {
  const introduction = introductionOf({ ...ids, layer: 1, incarnation, instance: `life ${incarnation}` });
  return { kind: "hello", from: 1, to: 2, width: 3, dtype: "f16", ...introduction, ...other };
}

it("is let in where it sends what the layer takes", () => {
  const predecessor = new Predecessor(second, config);
  expect(predecessor.refuse(hello(1))).toBeUndefined();
  expect(predecessor.welcome(7)).toMatchObject({ kind: "welcome", from: 2, instance: "own", need: 7 });
});

it.each([
  { width: 4, reason: "layer 1 sends 4 floats to layer 2, layer 2 takes 3" },
  { to: 3, reason: "layer 1 sends 3 floats to layer 3, layer 2 takes 3" },
  { dtype: "f32" as const, reason: "dtype is f32, expected f16" },
  { from: 3, reason: "layer is 3, expected 1" },
])("is refused with both values: $reason", ({ reason, ...other }) => {
  const predecessor = new Predecessor(second, config);
  expect(predecessor.refuse(hello(1, other))).toEqual({ code: CloseCode.mismatch, reason });
});

it("is refused in an older life than was met, and not before that one came", () => {
  const predecessor = new Predecessor(second, config);
  expect(predecessor.refuse(hello(1))).toBeUndefined();
  expect(predecessor.hasMet).toBe(false);
  predecessor.met(hello(2));
  expect(predecessor.hasMet).toBe(true);
  expect(predecessor.refuse(hello(1))).toMatchObject({ code: CloseCode.fenced });
  expect(predecessor.refuse(hello(2))).toBeUndefined();
});

it("of the first layer sends what the data are", () => {
  const predecessor = new Predecessor({ ...second, layer: 1 }, config);
  const source = { from: 0, to: 1, width: 2 };
  expect(predecessor.refuse(hello(1, { ...source, dtype: "f32" }))).toBeUndefined();
  expect(predecessor.refuse(hello(1, { ...source, dtype: "f16" }))).toMatchObject({
    code: CloseCode.mismatch,
  });
});
