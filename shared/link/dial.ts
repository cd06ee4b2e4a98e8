import { FastCodec } from "../wire/fast/fast-codec.ts";
import { FrameError } from "../wire/frame-error.ts";
import {
  type BackFrame,
  CloseCode,
  type Frame,
  type HelloFrame,
  PROTOCOL_VERSION,
  type WelcomeFrame,
} from "../wire/frames.ts";
import { type DialAnswer, type Dialler, Dialling, type DiallingOptions } from "./dialling.ts";
import { hangUp, type Link, type Refusal } from "./link.ts";
import { proven, refuseUnprovenBack } from "./proof.ts";
import type { Secret } from "./secret.ts";

export type { Dialler } from "./dialling.ts";

/** To the successor. */
export interface DialOptions
  extends Omit<DiallingOptions<Frame, Frame, WelcomeFrame>, "codec" | "answer" | "onFrame" | "gathers"> {
  /** A peer that does not prove that it has it too is left. Without one, any peer that answers is believed. */
  readonly secret?: Secret | undefined;
  /** Asked anew at every attempt. */
  hello(): HelloFrame;
  /** Of a welcome that was proved: undefined if it will do. */
  check(welcome: WelcomeFrame): Refusal | undefined;
  /**
   * In order of arrival, within the read that brought it. A FrameError thrown here closes the link with its code.
   */
  onFrame(frame: BackFrame, link: Link): void;
}

export function dial(options: DialOptions): Dialler {
  return new Dialling<Frame, Frame, WelcomeFrame>({
    ...options,
    codec: () => new FastCodec(options),
    answer: (frame) => answerTo(challengeFrame(frame).nonce, options),
    onFrame: (frame, link) => options.onFrame(backFrame(frame), link),
  });
}

function answerTo(
  nonce: string,
  { secret, hello: own, check }: DialOptions,
): DialAnswer<Frame, Frame, WelcomeFrame> {
  const hello = proven(secret, own(), nonce);
  const welcome = (frame: Frame) => {
    if (frame.kind !== "welcome")
      throw new FrameError(`Cannot take ${frame.kind}: after the challenge, the first frame back is welcome`);
    const refusal = refuseUnprovenBack(secret, frame, hello, nonce) ?? check(frame);
    return refusal ? hangUp(refusal) : frame;
  };
  return { hello, welcome };
}

function challengeFrame(frame: Frame) {
  if (frame.kind !== "challenge")
    throw new FrameError(`Cannot take ${frame.kind}: the first frame back is challenge`);
  const { protocol } = frame;
  if (protocol === PROTOCOL_VERSION) return frame;
  throw new FrameError(`protocol is ${protocol}, expected ${PROTOCOL_VERSION}`, CloseCode.wrongVersion);
}

function backFrame(frame: Frame): BackFrame {
  if (frame.kind === "gradient" || frame.kind === "rewind") return frame;
  if (frame.kind === "snapshot" || frame.kind === "finished") return frame;
  throw new FrameError(`Cannot take ${frame.kind}: a successor sends gradient, rewind, snapshot or finished`);
}
