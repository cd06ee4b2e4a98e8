import type { Codec } from "../wire/codec.ts";
import { FrameError } from "../wire/frame-error.ts";
import type { ToHub, ToWorker } from "./messages.ts";
import { type Heard, parseTelemetry } from "./parse-telemetry.ts";

/** Close codes of telemetry: what was said does not fit, and what was said is to be said again. */
export const TelemetryClose = { policy: 1008, tryAgain: 1013 } as const;

export function misfit(reason: string): FrameError {
  return new FrameError(reason, TelemetryClose.policy);
}

/** The hub's end. */
export const hubCodec: Codec<ToWorker, Heard> = codecOf((text) => {
  try {
    return parseTelemetry(text);
  } catch (error) {
    throw misfit(`cannot understand: ${(error as Error).message}`);
  }
});

/** The worker's end. */
export const workerCodec: Codec<ToHub, ToWorker> = codecOf((text) => {
  const message = readToWorker(text);
  if (message === undefined) throw misfit("a hub says challenge, ack, command, question or look");
  return message;
});

/** One JSON object a message. */
function codecOf<Said, Heard>(read: (text: string) => Heard): Codec<Said, Heard> {
  return {
    encode: (message) => JSON.stringify(message),
    decode: (bytes, isBinary) => {
      if (isBinary) throw misfit("cannot understand: it is binary");
      return read(bytes.toString());
    },
  };
}

/** Undefined unless it is something that a hub says. */
function readToWorker(text: string): ToWorker | undefined {
  let message: Partial<Record<string, unknown>>;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isText = (value: unknown) => typeof value === "string";
  const isTextIfAny = (value: unknown) => value === undefined || isText(value);
  const { kind, protocol, nonce, seq, question, look, batch, command, proof, worker } = message ?? {};
  const isOne =
    (kind === "challenge" && Number.isInteger(protocol) && isText(nonce)) ||
    (kind === "ack" && Number.isInteger(seq)) ||
    (kind === "question" && Number.isSafeInteger(question) && isTextIfAny(proof)) ||
    (kind === "look" && [look, batch].every(Number.isSafeInteger) && isTextIfAny(proof)) ||
    (kind === "command" && isText(command) && isTextIfAny(proof) && isTextIfAny(worker));
  return isOne ? (message as unknown as ToWorker) : undefined;
}
