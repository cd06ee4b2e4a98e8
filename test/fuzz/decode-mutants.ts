import { getHeapStatistics } from "node:v8";
import { decode, encode } from "../../shared/wire/codec.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { Mutants } from "./mutants.ts";

const limits = { maxFrameBytes: 1 << 20 };
const LONGEST_MS = 50;
const MOST_BYTES = 32 * 2 ** 20;

export interface Findings {
  readonly taken: number;
  readonly refused: number;
  /** Of each frame, in the order they were made: whatever else went on meanwhile counts as its time, too. */
  readonly tookMs: Float64Array;
  /** The most memory that one frame took. */
  readonly mostBytes: number;
}

/**
 * Decodes `count` mutants. Throws, with the frame in hex, at the first that is neither taken nor refused as the protocol
 * says, or that takes more than 50 ms or 32 MB.
 */
export function decodeMutants(seed: number, count: number): Findings {
  const mutants = new Mutants(seed);
  const counts = { taken: 0, refused: 0 };
  const tookMs = new Float64Array(count);
  let mostBytes = 0;
  for (let made = 0; made < count; made++) {
    const frame = mutants.next();
    const before = memory();
    const startedAt = performance.now();
    counts[outcome(frame)]++;
    const took = performance.now() - startedAt;
    mostBytes = Math.max(mostBytes, memory() - before);
    tookMs[made] = took;
    if (took > LONGEST_MS && quickest(frame) > LONGEST_MS) throw lost(frame, `${took} ms`);
    if (mostBytes > MOST_BYTES) throw lost(frame, `${mostBytes} bytes`);
  }
  return { ...counts, tookMs, mostBytes };
}

function outcome(frame: Buffer): "taken" | "refused" {
  try {
    // What was taken must be a frame indeed: its own encoding decodes again.
    decode(encode(decode(frame, limits)), limits);
    return "taken";
  } catch (error) {
    if (error instanceof FrameError && !/[\r\n]/.test(error.message)) return "refused";
    throw lost(frame, error);
  }
}

/** Of three tries: else the machine's other work, or a collection of garbage, would be the frame's fault. */
function quickest(frame: Buffer): number {
  const tries = [0, 1, 2].map(() => {
    const startedAt = performance.now();
    outcome(frame);
    return performance.now() - startedAt;
  });
  return Math.min(...tries);
}

function memory(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function lost(frame: Buffer, cause: unknown): Error {
  return new Error(`Cannot survive ${frame.toString("hex")}: ${cause}`, { cause });
}
