import { appendFileSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Tracer } from "./tracer.ts";

/** Of one layer, all its lives together: some 30,000 spans. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Goes on with the file of lives before. What does not fit on a disk is dropped: training is not to end for a trace. */
export function openTrace(path: string, layer: number): Tracer {
  mkdirSync(dirname(path), { recursive: true });
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const { timeOrigin } = performance;
  return new Tracer(
    layer,
    MOST_BYTES - size,
    () => timeOrigin + performance.now(),
    (lines) => {
      try {
        appendFileSync(path, lines);
      } catch {}
    },
  );
}
