import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * In the folder of a layer's state: how many targets it had learnt before it applied each batch. A number of 32 bits, little-endian,
 * at 4 × batch: that many and one, with the highest bit where an earlier life had applied the batch, too. 0: not applied.
 */
const NAME = "order";
export const ENTRY_BYTES = 4;
const AGAIN = 0x80000000;

export function orderPath(state: string): string {
  return join(state, NAME);
}

/** The number that stands for it. */
export function orderEntry(learnt: number, isAgain: boolean): number {
  return (learnt + 1 + (isAgain ? AGAIN : 0)) >>> 0;
}

interface OrderRecord {
  /** Of each batch of the run: how many targets were learnt before it; undefined where nothing was written. */
  readonly learnt: readonly (number | undefined)[];
  /** First and last of batches in a row that more than one life has applied. */
  readonly again: readonly (readonly [number, number])[];
}

/** From this batch on, up to the first that is missing or cannot be: nobody learns a target before its batch. */
export function followable(learnt: OrderRecord["learnt"], from: number): (number | undefined)[] {
  const found: (number | undefined)[] = [];
  for (let batch = from; batch < learnt.length; batch++) {
    const count = learnt[batch];
    if (count === undefined || count > batch) break;
    found[batch] = count;
  }
  return found;
}

/** Undefined if the layer left none. Of all batches that were written, unless it is said of how many. */
export function readOrder(state: string, most?: number): OrderRecord | undefined {
  const path = orderPath(state);
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  const batches = most ?? Math.floor(bytes.length / ENTRY_BYTES);
  const learnt: (number | undefined)[] = [];
  const again: [number, number][] = [];
  for (let batch = 0; batch < batches; batch++) {
    const at = batch * ENTRY_BYTES;
    const entry = at + ENTRY_BYTES <= bytes.length ? bytes.readUInt32LE(at) : 0;
    const count = entry % AGAIN;
    learnt.push(count === 0 ? undefined : count - 1);
    if (entry < AGAIN) continue;
    const last = again.at(-1);
    if (last?.[1] === batch - 1) last[1] = batch;
    else again.push([batch, batch]);
  }
  return { learnt, again };
}
