import { describe, expect, it } from "vitest";
import type { Look } from "../../../../services/layer/look/look.ts";
import { WatchedWork } from "../../../../services/layer/look/watched-work.ts";
import type { NetworkOptions } from "../../../../shared/dni/build-layer.ts";
import type { Method } from "../../../../shared/dni/layer-options.ts";
import { wasmKernels } from "../../../../shared/math/wasm-kernels.ts";
import type { TargetFrame } from "../../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../../shared/wire/tensor.ts";
import { dtypes, frame, network, ones, snapshot } from "../small-layers.ts";

function networkOf(method: Method): NetworkOptions {
  return { ...network, learning: { ...network.learning, method } };
}

const target = (batch: number): TargetFrame => ({
  kind: "gradient",
  batch,
  gradient: floatsToTensor(
    Float32Array.from(ones, (one) => one - 0.4),
    2,
    4,
  ),
});

/** What a layer learns in ten batches; before each it is told which to look at. Targets come two batches late, where it does not wait. */
function trained(method: Method, number: number, before: (work: WatchedWork, batch: number) => void) {
  const of = networkOf(method);
  const work = new WatchedWork(wasmKernels(), of, number, { ticketsKept: 4, dtypes });
  const columns = of.layers[number - 1]!.inputs;
  const isLocked = method === "backprop" && number < 3;
  for (let batch = 0; batch < 10; batch++) {
    before(work, batch);
    const heard = frame(
      Array.from({ length: 2 * columns }, (_, index) => Math.sin(batch * 7 + index)),
      columns,
      { batch },
    );
    work.inspect(heard);
    if (isLocked) {
      work.forwardFrame(heard, work.passForward(heard, batch));
      work.inspectTarget(target(batch), 2);
      work.passBackward(heard, batch, target(batch), true);
      continue;
    }
    const { output } = work.update(heard);
    if (!output) continue;
    work.forwardFrame(heard, output);
    work.awaits(batch);
    if (batch < 2) continue;
    work.inspectTarget(target(batch - 2), 2);
    work.learn(batch - 2, target(batch - 2));
  }
  return work;
}

/** What was seen of batch 3. */
function seenOf(method: Method, number: number) {
  let now = 1_000;
  const looks: Look[] = [];
  trained(method, number, (work, batch) => {
    if (batch === 1) work.lookAt(3, { clock: () => now++, done: (look) => looks.push(look) });
  });
  expect(looks).toHaveLength(1);
  return looks[0]!.seen();
}

const inOrder = (moments: object) =>
  Object.entries(moments)
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name);

describe.each(["cdni", "dni", "local", "backprop"] as const)("a layer that learns by %s", (method) => {
  it.each([1, 2, 3])("as layer %i learns the same bits looked at all the time as never", (number) => {
    let seen = 0;
    const looked = trained(method, number, (work, batch) =>
      work.lookAt(batch, { clock: () => 0, done: () => seen++ }),
    );
    // Where targets come two batches late, the look at the last is asked for before they are there.
    const isSeenAtOnce = method === "local" || method === "backprop" || number === 3;
    expect(seen).toBe(isSeenAtOnce ? 10 : 0);
    expect(snapshot(looked)).toEqual(snapshot(trained(method, number, () => {})));
  });
});

it("a layer that guesses has moved its weights before its target came, two updates later, and says how good the guess was", () => {
  const seen = seenOf("cdni", 2);
  expect(inOrder(seen.moments)).toEqual(["received", "began", "updated", "sent", "answered", "learned"]);
  expect(seen).toMatchObject({ batch: 3, learns: "decoupled", rows: 2, staleness: 2 });
  const { guess, target: heard, output, input, weights } = seen.pictures!;
  expect([input!.of, output!.of, guess!.of, heard!.of]).toEqual(Array(4).fill([2, 4]));
  expect(heard!.values).toEqual(ones.map((one) => Number((one - 0.4).toPrecision(3))));
  const dot = guess!.values.reduce((sum, value, at) => sum + value * heard!.values[at]!, 0);
  const sizes = Math.hypot(...guess!.values) * Math.hypot(...heard!.values);
  expect(seen.cosine).toBeCloseTo(dot / sizes, 2);
  expect(weights).toMatchObject({ of: [4, 4], rows: 4, columns: 4 });
  const moved = seen.moved!.find(({ name }) => name === "layer.weight")!;
  expect(Math.hypot(...weights!.values)).toBeCloseTo(moved.by, 3);
  expect(moved.by).toBeGreaterThan(0);
  expect(seen.moved!.some(({ name, by }) => name.startsWith("generator.") && by > 0)).toBe(true);
});

it("a layer of backprop moves its weights only after its target came", () => {
  const seen = seenOf("backprop", 1);
  expect(inOrder(seen.moments)).toEqual(["received", "began", "computed", "sent", "answered", "updated"]);
  expect(seen).toMatchObject({ learns: "locked", staleness: 0 });
  expect(seen.pictures!.guess).toBeUndefined();
  expect(seen.pictures!.target!.of).toEqual([2, 4]);
});

it("a head is seen when it has updated, with its loss; a local layer when it has sent", () => {
  expect(seenOf("cdni", 3)).toMatchObject({ learns: "head", loss: expect.any(Number) });
  const local = seenOf("local", 1);
  expect(inOrder(local.moments)).toEqual(["received", "began", "updated", "sent"]);
  expect(local.pictures!.guess!.of).toEqual([2, 4]);
});

it("a batch that is sent once more was received when it came first", () => {
  let now = 1_000;
  const looks: Look[] = [];
  const work = new WatchedWork(wasmKernels(), networkOf("cdni"), 3, { ticketsKept: 4, dtypes });
  const heard = frame(ones, 4);
  work.lookAt(0, { clock: () => now++, done: (look) => looks.push(look) });
  for (let time = 0; time < 2; time++) work.inspect(heard);
  work.update(heard);
  expect(looks[0]!.seen().moments).toEqual({ received: 1_000, began: 1_001, updated: 1_002 });
});

it("a batch whose answer has nothing to learn from is seen without", () => {
  const looks: Look[] = [];
  const work = new WatchedWork(wasmKernels(), networkOf("cdni"), 1, { ticketsKept: 4, dtypes });
  work.lookAt(0, { clock: () => 1, done: (look) => looks.push(look) });
  const heard = frame([1, 2, 3, 4, 5, 6], 3);
  work.inspect(heard);
  const { output } = work.update(heard);
  work.forwardFrame(heard, output!);
  work.awaits(7);
  work.forget([7]);
  expect(looks.map((look) => look.seen().moments.learned)).toEqual([undefined]);
});
