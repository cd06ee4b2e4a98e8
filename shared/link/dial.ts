import { WebSocket } from "ws";
import { FrameError } from "../wire/frame-error.ts";
import {
  type BackFrame,
  type ChallengeFrame,
  CloseCode,
  type Frame,
  type HelloFrame,
  PROTOCOL_VERSION,
  type WelcomeFrame,
} from "../wire/frames.ts";
import { backoffMs } from "./backoff.ts";
import type { Busy } from "./busy.ts";
import { dialOptions } from "./limits.ts";
import {
  isRefusal,
  type Link,
  type Refusal,
  SocketLink,
  type Traffic,
  type Why,
  whyOfError,
} from "./link.ts";
import { boundBytes } from "./pending-connections.ts";
import { proven, refuseUnprovenBack } from "./proof.ts";
import type { Secret } from "./secret.ts";
import type { LinkTimings } from "./timings.ts";
import { type TlsCredentials, tlsOptions } from "./tls.ts";

export interface DialOptions {
  /**
   * ws://host:port of the successor, wss:// where `tls` is given. Its name is looked up again at every attempt.
   */
  readonly url: string;
  readonly link: LinkTimings;
  /** A peer that does not prove that it has it too is left. Without one, any peer that answers is believed. */
  readonly secret?: Secret | undefined;
  /** A peer without a certificate of this authority, for the name in `url`, is left. */
  readonly tls?: TlsCredentials | undefined;
  /** The longest gradient frame to expect. */
  readonly maxFrameBytes: number;
  /** Counts what passes. */
  readonly traffic?: Traffic | undefined;
  /** What the peer is told of long steps of this process. */
  readonly busy?: Busy | undefined;
  /** [0, 1), for the jitter. */
  readonly random: () => number;
  /** How bytes to the successor are masked; PROTOCOL.md says why "zero" is the default. */
  readonly mask?: "zero" | "random";
  /** Asked anew at every attempt. */
  hello(): HelloFrame;
  /** Of a welcome that was proved: undefined if it will do. */
  check(welcome: WelcomeFrame): Refusal | undefined;
  onUp(link: Link, welcome: WelcomeFrame): void;
  /**
   * In order of arrival, within the read that brought it. A FrameError thrown here closes the link with its code.
   */
  onFrame(frame: BackFrame, link: Link): void;
  /** Once for every link that was up, and (with no link) for every attempt that failed before. */
  onDown(link: Link | undefined, why: Why): void;
  /** Attempt `attempt` since the last welcome begins after `waitMs`; the one before ended because of `why`. */
  onWaiting?(attempt: number, waitMs: number, why: Why): void;
  /** Either end will not have the other, and dialling again will not help; dialling goes on until close(). */
  onRefused?(refusal: Why): void;
}

export interface Dialler {
  /** Stops dialling, and closes what is open (default: done). Resolves when the socket is gone. */
  close(code?: CloseCode, reason?: string): Promise<void>;
}

/** Dials until it is closed, again and again: every error alike, after a random and growing wait. */
export function dial(options: DialOptions): Dialler {
  const dialling = new Dialling(options);
  dialling.connect();
  return dialling;
}

type State =
  | { readonly phase: "connecting"; readonly socket: WebSocket }
  | { readonly phase: "greeting"; readonly link: SocketLink; readonly greeting: Greeting }
  | { readonly phase: "open"; readonly link: SocketLink }
  | { readonly phase: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly phase: "closed"; readonly gone: Promise<void> };

interface Greeting {
  readonly deadline: NodeJS.Timeout;
  readonly stopCounting: () => void;
  /** What was said so far: nothing, or the challenge and our answer to it. */
  readonly said?: { readonly challenge: string; readonly hello: HelloFrame };
}

class Dialling implements Dialler {
  readonly #options: DialOptions;
  #state: State = { phase: "closed", gone: Promise.resolve() };
  /** The link that onUp was told of, until onDown is. */
  #up: SocketLink | undefined;
  /** Failures in a row. */
  #failures = 0;
  /** Ends the wait of the caller that closed this. */
  #gone = () => {};

  constructor(options: DialOptions) {
    this.#options = options;
  }

  connect(): void {
    const { url, maxFrameBytes, link, mask, tls } = this.#options;
    const socket = new WebSocket(url, {
      ...dialOptions(maxFrameBytes, link.handshakeMs),
      ...(tls && tlsOptions(tls)),
      // Leaves the mask as it is: zeros, which ws need not apply.
      ...(mask !== "random" && { generateMask: () => {} }),
    });
    let why: Why = { code: 1006, reason: "the connection ended before it opened" };
    socket.on("error", (error) => {
      why = whyOfError(error);
    });
    const onClose = () => this.#ended(why);
    socket.once("close", onClose);
    let stopCounting = () => {};
    socket.once("upgrade", (response) => {
      stopCounting = boundBytes(response.socket, () => socket.terminate());
    });
    socket.once("open", () => {
      // From here on the link listens for the end.
      socket.off("close", onClose);
      this.#await(socket, stopCounting);
    });
    this.#state = { phase: "connecting", socket };
  }

  close(code: CloseCode = CloseCode.done, reason = ""): Promise<void> {
    const state = this.#state;
    if (state.phase === "closed") return state.gone;
    const gone = state.phase === "waiting" ? Promise.resolve() : this.#untilGone();
    this.#state = { phase: "closed", gone };
    if (state.phase === "connecting") state.socket.terminate();
    if (state.phase === "greeting") clearTimeout(state.greeting.deadline);
    if (state.phase === "greeting" || state.phase === "open") state.link.close(code, reason);
    if (state.phase === "waiting") clearTimeout(state.timer);
    return gone;
  }

  #untilGone(): Promise<void> {
    return new Promise((resolve) => {
      this.#gone = resolve;
    });
  }

  #await(socket: WebSocket, stopCounting: () => void): void {
    const { maxFrameBytes, traffic, busy, link: config } = this.#options;
    const link: SocketLink = new SocketLink(socket, {
      maxFrameBytes,
      traffic,
      busy,
      heartbeatMs: config.heartbeatMs,
      onFrame: (frame) => this.#receive(frame, link),
      onDown: (why) => this.#ended(why),
    });
    const deadline = setTimeout(() => {
      link.close(CloseCode.helloTimeout, `no welcome within ${config.handshakeMs} ms`);
    }, config.handshakeMs);
    this.#state = { phase: "greeting", link, greeting: { deadline, stopCounting } };
  }

  #receive(frame: Frame, link: SocketLink): void {
    const state = this.#state;
    if (state.phase !== "greeting") this.#options.onFrame(backFrame(frame), link);
    else if (state.greeting.said === undefined) this.#challenged(frame, link, state.greeting);
    else this.#welcomed(frame, link, { ...state.greeting, ...state.greeting.said });
  }

  #challenged(frame: Frame, link: SocketLink, greeting: Greeting): void {
    const { protocol, nonce } = challengeFrame(frame);
    if (protocol !== PROTOCOL_VERSION) {
      return link.close(CloseCode.wrongVersion, `protocol is ${protocol}, expected ${PROTOCOL_VERSION}`);
    }
    const hello = proven(this.#options.secret, this.#options.hello(), nonce);
    this.#state = { phase: "greeting", link, greeting: { ...greeting, said: { challenge: nonce, hello } } };
    link.send(hello);
  }

  #welcomed(frame: Frame, link: SocketLink, greeting: Greeting & NonNullable<Greeting["said"]>): void {
    if (frame.kind !== "welcome") {
      throw new FrameError(`Cannot take ${frame.kind}: after the challenge, the first frame back is welcome`);
    }
    const { hello, challenge, deadline, stopCounting } = greeting;
    const { secret, check, onUp } = this.#options;
    const refusal = refuseUnprovenBack(secret, frame, hello, challenge) ?? check(frame);
    if (refusal !== undefined) return link.close(refusal.code, refusal.reason);
    clearTimeout(deadline);
    stopCounting();
    this.#failures = 0;
    this.#state = { phase: "open", link };
    this.#up = link;
    onUp(link, frame);
  }

  /** A socket is gone, at whatever stage. */
  #ended(why: Why): void {
    if (this.#state.phase === "greeting") clearTimeout(this.#state.greeting.deadline);
    const up = this.#up;
    this.#up = undefined;
    const isClosed = this.#state.phase === "closed";
    // Wait first: a caller that closes this from within onDown then finds the timer to clear.
    const waitMs = isClosed ? 0 : this.#wait();
    this.#options.onDown(up, why);
    if (isClosed) return this.#gone();
    if (isRefusal(why)) this.#options.onRefused?.(why);
    if (this.#state.phase === "waiting") this.#options.onWaiting?.(this.#failures, waitMs, why);
  }

  #wait(): number {
    const { link, random } = this.#options;
    const waitMs = backoffMs(++this.#failures, link.backoffMs, random);
    this.#state = { phase: "waiting", timer: setTimeout(() => this.connect(), waitMs) };
    return waitMs;
  }
}

function challengeFrame(frame: Frame): ChallengeFrame {
  if (frame.kind === "challenge") return frame;
  throw new FrameError(`Cannot take ${frame.kind}: the first frame back is challenge`);
}

function backFrame(frame: Frame): BackFrame {
  if (frame.kind === "gradient" || frame.kind === "rewind") return frame;
  if (frame.kind === "snapshot" || frame.kind === "finished") return frame;
  throw new FrameError(`Cannot take ${frame.kind}: a successor sends gradient, rewind, snapshot or finished`);
}
