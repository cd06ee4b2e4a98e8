import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Codec } from "../wire/codec.ts";
import { CloseCode } from "../wire/frames.ts";
import { backoffMs } from "./backoff.ts";
import { dialOptions } from "./limits.ts";
import { isRefusal, type Link, type LinkOptions, SocketLink, type Why, whyOfError } from "./link.ts";
import { boundBytes } from "./pending-connections.ts";
import type { LinkTimings } from "./timings.ts";
import { type TlsCredentials, tlsOptions } from "./tls.ts";

/** What whoever dials is asked for, whatever is spoken there. */
export interface DialTarget extends LinkOptions {
  /** ws://host:port, wss:// where `tls` is given. Its name is looked up again at every attempt. */
  readonly url: string;
  readonly link: LinkTimings;
  /** A peer without a certificate of this authority, for the name in `url`, is left. */
  readonly tls?: TlsCredentials | undefined;
  /** [0, 1), for the jitter. */
  readonly random: () => number;
  /** How bytes to the peer are masked; PROTOCOL.md says why "zero" is the default. */
  readonly mask?: "zero" | "random";
}

export interface DiallingOptions<Said, Heard, Welcome> extends DialTarget {
  /** What is said in one go leaves in one piece. */
  readonly gathers?: boolean;
  /** One for each connection. */
  codec(): Codec<Said, Heard>;
  /** To the first message of a connection. A FrameError hangs up. */
  answer(challenge: Heard): DialAnswer<Said, Heard, Welcome>;
  /** Awaited before each hello; where this is closed meanwhile, none is said. */
  beforeHello?(): Promise<void>;
  onUp(link: Link<Said>, welcome: Welcome): void;
  /**
   * In order of arrival, within the read that brought it. A FrameError thrown here closes the link with its code.
   */
  onFrame(message: Heard, link: Link<Said>): void;
  /** Once for every link that was up, and (with no link) for every attempt that failed before. */
  onDown(link: Link<Said> | undefined, why: Why): void;
  /** Attempt `attempt` since the last welcome begins after `waitMs`; the one before ended because of `why`. */
  onWaiting?(attempt: number, waitMs: number, why: Why): void;
  /** Either end will not have the other, and dialling again will not help; dialling goes on until close(). */
  onRefused?(refusal: Why): void;
}

export interface DialAnswer<Said, Heard, Welcome> {
  readonly hello: Said;
  /** Judges what the peer says to that. A FrameError hangs up. */
  welcome(message: Heard): Welcome;
}

export interface Dialler {
  /** Stops dialling, and closes what is open (default: done). Resolves when the socket is gone. */
  close(code?: CloseCode, reason?: string): Promise<void>;
}

type State<Said, Heard, Welcome> =
  | { readonly phase: "connecting"; readonly socket: WebSocket }
  | {
      readonly phase: "greeting";
      readonly link: SocketLink<Said, Heard>;
      readonly deadline: NodeJS.Timeout;
      /** Undefined before the challenge. */
      readonly answer?: DialAnswer<Said, Heard, Welcome>;
    }
  | { readonly phase: "open"; readonly link: SocketLink<Said, Heard> }
  | { readonly phase: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly phase: "closed"; readonly gone: Promise<void> };

/** Dials until it is closed, again and again: every error alike, after a random and growing wait. */
export class Dialling<Said, Heard, Welcome> implements Dialler {
  readonly #options: DiallingOptions<Said, Heard, Welcome>;
  #state: State<Said, Heard, Welcome> = { phase: "closed", gone: Promise.resolve() };
  /** The link that onUp was told of, until onDown is. */
  #up: SocketLink<Said, Heard> | undefined;
  #stopCounting = () => {};
  /** Failures in a row. */
  #failures = 0;
  /** Ends the wait of the caller that closed this. */
  #gone = () => {};

  constructor(options: DiallingOptions<Said, Heard, Welcome>) {
    this.#options = options;
    this.#connect();
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

  #connect(): void {
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
    let raw: Duplex | undefined;
    socket.once("upgrade", (response) => {
      raw = response.socket;
      this.#stopCounting = boundBytes(raw, () => socket.terminate());
    });
    socket.once("open", () => {
      // From here on the link listens for the end.
      socket.off("close", onClose);
      this.#greet(socket, raw);
    });
    this.#state = { phase: "connecting", socket };
  }

  #greet(socket: WebSocket, raw: Duplex | undefined): void {
    const { link: timings, gathers, traffic, busy, isTalkative = false } = this.#options;
    const link: SocketLink<Said, Heard> = new SocketLink(socket, {
      ...{ traffic, busy, isTalkative, heartbeatMs: timings.heartbeatMs },
      codec: this.#options.codec(),
      gatherIn: gathers ? raw : undefined,
      onFrame: (message) => this.#receive(message, link),
      onDown: (why) => this.#ended(why),
    });
    const deadline = setTimeout(() => {
      link.close(CloseCode.helloTimeout, `no welcome within ${timings.handshakeMs} ms`);
    }, timings.handshakeMs);
    this.#state = { phase: "greeting", link, deadline };
  }

  #receive(message: Heard, link: SocketLink<Said, Heard>): void {
    const state = this.#state;
    if (state.phase !== "greeting") return;
    if (state.answer !== undefined) return this.#welcomed(state.answer.welcome(message), link);
    const answer = this.#options.answer(message);
    this.#state = { ...state, answer };
    const { beforeHello } = this.#options;
    if (!beforeHello) return link.send(answer.hello);
    // A link that is closing by then sends nothing.
    void beforeHello().then(() => link.send(answer.hello));
  }

  #welcomed(welcome: Welcome, link: SocketLink<Said, Heard>): void {
    this.#endGreeting();
    this.#stopCounting();
    this.#failures = 0;
    this.#state = { phase: "open", link };
    this.#up = link;
    link.onFrame = (message) => this.#options.onFrame(message, link);
    this.#options.onUp(link, welcome);
  }

  #endGreeting(): void {
    if (this.#state.phase === "greeting") clearTimeout(this.#state.deadline);
  }

  /** A socket is gone, at whatever stage. */
  #ended(why: Why): void {
    this.#endGreeting();
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
    this.#state = { phase: "waiting", timer: setTimeout(() => this.#connect(), waitMs) };
    return waitMs;
  }
}
