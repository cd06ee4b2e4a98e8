import type { LinkTimings } from "./timings.ts";

/**
 * How long to wait before dialling again after `attempt` failures in a row (1, 2, 3, …), in milliseconds: at first
 * anything from 0 to `first`, then up to twice as much after each failure, at most `most`. All of the range is
 * used ("full jitter"), so that layers which lost the same neighbour do not return in step. `random` gives [0, 1).
 */
export function backoffMs(attempt: number, bounds: LinkTimings["backoffMs"], random: () => number): number {
  return random() * Math.min(bounds.most, bounds.first * 2 ** (attempt - 1));
}
