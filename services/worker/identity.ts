import type { Expectation, Life } from "../../shared/link/greeting.ts";
import { layerName, type WorkerName } from "../../shared/record/worker-name.ts";
import { type HelloFrame, PROTOCOL_VERSION } from "../../shared/wire/frames.ts";

/** A life, as it knows itself: what it says on its links, and expects its neighbours to be of too. */
export interface Identity extends Life {
  /** Layer number; the source is 0. */
  readonly layer: number;
  readonly run: string;
  readonly configHash: string;
  /** Of the whole run. */
  readonly batches: number;
}

/** What it says to either neighbour. */
export function introductionOf({
  run,
  incarnation,
  instance,
  configHash,
}: Identity): Pick<HelloFrame, "protocol" | "run" | "incarnation" | "instance" | "configHash"> {
  return { protocol: PROTOCOL_VERSION, run, incarnation, instance, configHash };
}

/** Which peer may be layer `neighbour`, of which `newest` was met last. */
export function expectationOf(
  { run, configHash, batches }: Identity,
  neighbour: number,
  newest: Life | undefined,
): Expectation {
  return { run, configHash, neighbour, batches, newest };
}

/** Of the source, or of a layer. */
export function nameOf(layer: number): WorkerName {
  return layer === 0 ? "source" : layerName(layer);
}
