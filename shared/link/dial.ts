import { WebSocket } from "ws";
import type { LinkConfig } from "../run/config.ts";
import { FrameError } from "../wire/frame-error.ts";
import { type BackFrame, CloseCode, type Frame, type HelloFrame, type WelcomeFrame } from "../wire/frames.ts";
import { backoffMs } from "./backoff.ts";
import { dialOptions } from "./limits.ts";
import { isPermanent, type Link, type Refusal, SocketLink, type Why, whyOfError } from "./link.ts";

export interface DialOptions {
  /** ws://host:port of the successor. Its name is looked up again at every attempt. */
  readonly url: string;
  readonly link: LinkConfig;
  /** The longest gradient frame to expect. */
  readonly maxFrameBytes: number;
  /** [0, 1), for the jitter. */
  readonly random: () => number;
  /** How bytes to the successor are masked; PROTOCOL.md says why "zero" is the default. */
  readonly mask?: "zero" | "random";
  /** Asked anew at every attempt. */
  hello(): HelloFrame;
  /** Undefined if this welcome will do. */
  check(welcome: WelcomeFrame): Refusal | undefined;
  onUp(link: Link, welcome: WelcomeFrame): void;
  /** In order of arrival, within the read that brought it. A FrameError thrown here closes the link with its code. */
  onFrame(frame: BackFrame, link: Link): void;
  /** Once for every link that was up, and (with no link) for every attempt that failed before. */
  onDown(link: Link | undefined, why: Why): void;
  /** Attempt `attempt` since the last welcome begins after `waitMs`. */
  onWaiting?(attempt: number, waitMs: number): void;
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
  | { readonly phase: "greeting"; readonly link: SocketLink; readonly deadline: NodeJS.Timeout }
  | { readonly phase: "open"; readonly link: SocketLink }
  | { readonly phase: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly phase: "closed"; readonly gone: Promise<void> };

class Dialling implements Dialler {
  readonly #options: DialOptions;
  #state: State = { phase: "closed", gone: Promise.resolve() };
  /** The link that onUp was told of, until onDown is. */
  #up: SocketLink | undefined;
  /** Failures in a row. */
  #failures = 0;
  /** Ends the wait of whoever closed this. */
  #gone = () => {};

  constructor(options: DialOptions) {
    this.#options = options;
  }

  connect(): void {
    const { url, maxFrameBytes, link, mask } = this.#options;
    const socket = new WebSocket(url, {
      ...dialOptions(maxFrameBytes, link.handshakeMs),
      // Leaves the mask as it is: zeros, which ws need not apply.
      ...(mask !== "random" && { generateMask: () => {} }),
    });
    let why: Why = { code: 1006, reason: "the connection ended before it opened" };
    socket.on("error", (error) => {
      why = whyOfError(error);
    });
    const onClose = () => this.#ended(why);
    socket.once("close", onClose);
    socket.once("open", () => {
      // From here on the link listens for the end.
      socket.off("close", onClose);
      this.#greet(socket);
    });
    this.#state = { phase: "connecting", socket };
  }

  close(code: CloseCode = CloseCode.done, reason = ""): Promise<void> {
    const state = this.#state;
    if (state.phase === "closed") return state.gone;
    const gone = state.phase === "waiting" ? Promise.resolve() : this.#untilGone();
    this.#state = { phase: "closed", gone };
    if (state.phase === "connecting") state.socket.terminate();
    if (state.phase === "greeting") clearTimeout(state.deadline);
    if (state.phase === "greeting" || state.phase === "open") state.link.close(code, reason);
    if (state.phase === "waiting") clearTimeout(state.timer);
    return gone;
  }

  #untilGone(): Promise<void> {
    return new Promise((resolve) => {
      this.#gone = resolve;
    });
  }

  #greet(socket: WebSocket): void {
    const { maxFrameBytes, link: config } = this.#options;
    const link: SocketLink = new SocketLink(socket, {
      maxFrameBytes,
      heartbeatMs: config.heartbeatMs,
      onFrame: (frame) => this.#receive(frame, link),
      onDown: (why) => this.#ended(why),
    });
    const deadline = setTimeout(() => {
      link.close(CloseCode.helloTimeout, `no welcome within ${config.handshakeMs} ms`);
    }, config.handshakeMs);
    this.#state = { phase: "greeting", link, deadline };
    link.send(this.#options.hello());
  }

  #receive(frame: Frame, link: SocketLink): void {
    if (this.#state.phase === "greeting") this.#welcomed(frame, link, this.#state.deadline);
    else this.#options.onFrame(backFrame(frame), link);
  }

  #welcomed(frame: Frame, link: SocketLink, deadline: NodeJS.Timeout): void {
    if (frame.kind !== "welcome") {
      throw new FrameError(`Cannot take ${frame.kind}: the first frame back is welcome`);
    }
    const refusal = this.#options.check(frame);
    if (refusal !== undefined) return link.close(refusal.code, refusal.reason);
    clearTimeout(deadline);
    this.#failures = 0;
    this.#state = { phase: "open", link };
    this.#up = link;
    this.#options.onUp(link, frame);
  }

  /** A socket is gone, at whatever stage. */
  #ended(why: Why): void {
    if (this.#state.phase === "greeting") clearTimeout(this.#state.deadline);
    const up = this.#up;
    this.#up = undefined;
    const isClosed = this.#state.phase === "closed";
    // Wait first: whoever closes this from within onDown then finds the timer to clear.
    const waitMs = isClosed ? 0 : this.#wait();
    this.#options.onDown(up, why);
    if (isClosed) return this.#gone();
    if (isPermanent(why.code)) this.#options.onRefused?.(why);
    if (this.#state.phase === "waiting") this.#options.onWaiting?.(this.#failures, waitMs);
  }

  #wait(): number {
    const { link, random } = this.#options;
    const waitMs = backoffMs(++this.#failures, link.backoffMs, random);
    this.#state = { phase: "waiting", timer: setTimeout(() => this.connect(), waitMs) };
    return waitMs;
  }
}

function backFrame(frame: Frame): BackFrame {
  if (frame.kind === "gradient" || frame.kind === "rewind" || frame.kind === "finished") return frame;
  throw new FrameError(`Cannot take ${frame.kind}: a successor sends gradient, rewind or finished`);
}
