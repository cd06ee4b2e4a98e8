/**
 * A layer that takes 5 ms longer for each batch it learns, and is otherwise that of services/layer: it stands for a layer
 * that has much to compute. It waits instead of computing, since two cores could not compute for sixteen layers at once,
 * and waits as computing does: nothing else happens in its process meanwhile.
 */
import { LayerWork } from "../../services/layer/layer-work.ts";

const COST_MS = 5;
const never = new Int32Array(new SharedArrayBuffer(4));

// All of it is in the one call per batch that learns: update, or passBackward of a locked layer.
for (const learns of ["update", "passBackward"] as const) {
  const original = LayerWork.prototype[learns] as (...args: unknown[]) => never;
  LayerWork.prototype[learns] = function (this: LayerWork, ...args: unknown[]) {
    Atomics.wait(never, 0, 0, COST_MS);
    return original.apply(this, args);
  };
}

await import("../../services/layer/main.ts");
