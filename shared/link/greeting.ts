import {
  CloseCode,
  type Dtype,
  type HelloFrame,
  PROTOCOL_VERSION,
  type WelcomeFrame,
} from "../wire/frames.ts";
import type { Refusal } from "./link.ts";

/** What one end of a link knows of itself and of whom it expects. */
export interface Expectation {
  readonly run: string;
  readonly configHash: string;
  /** Layer number of the neighbour; the source is 0. */
  readonly neighbour: number;
  /** What its activations must travel as. A listener says it; of a welcome nothing is expected. */
  readonly dtype?: Dtype;
  /** Batches in the run: no peer can need more. */
  readonly batches: number;
  /** The newest life of that neighbour that was met so far. */
  readonly newest: Life | undefined;
}

export interface Life {
  readonly incarnation: number;
  readonly instance: string;
}

/** Why this neighbour is not the one expected; every reason states both values. Undefined if it is. */
export function refuseStranger(expected: Expectation, peer: HelloFrame | WelcomeFrame): Refusal | undefined {
  if (peer.protocol !== PROTOCOL_VERSION)
    return refusal(CloseCode.wrongVersion, "protocol", peer.protocol, PROTOCOL_VERSION);
  if (peer.run !== expected.run) return refusal(CloseCode.wrongRun, "run", peer.run, expected.run);
  if (peer.from !== expected.neighbour)
    return refusal(CloseCode.mismatch, "layer", peer.from, expected.neighbour);
  // Before the hash, which would hide what differs.
  if (peer.kind === "hello" && expected.dtype !== undefined && peer.dtype !== expected.dtype)
    return refusal(CloseCode.mismatch, "dtype", peer.dtype, expected.dtype);
  if (peer.configHash !== expected.configHash)
    return refusal(CloseCode.mismatch, "config", brief(peer.configHash), brief(expected.configHash));
  if (peer.kind === "welcome" && peer.need > expected.batches)
    return refusal(CloseCode.mismatch, "need", peer.need, `at most ${expected.batches}`);
  return refuseOldLife(peer, expected.newest);
}

/** A life that a newer one has replaced changes nothing any more (promise G6). */
function refuseOldLife(
  peer: Life & { readonly from: number },
  newest: Life | undefined,
): Refusal | undefined {
  if (!newest || peer.incarnation > newest.incarnation) return undefined;
  if (peer.incarnation === newest.incarnation && peer.instance === newest.instance) return undefined;
  const reason = `layer ${peer.from} is incarnation ${peer.incarnation} of ${peer.instance}, already met ${newest.incarnation} of ${newest.instance}`;
  return { code: CloseCode.fenced, reason };
}

function refusal(code: CloseCode, what: string, theirs: string | number, ours: string | number): Refusal {
  return { code, reason: `${what} is ${theirs}, expected ${ours}` };
}

function brief(hash: string): string {
  return hash.slice(0, 12);
}
