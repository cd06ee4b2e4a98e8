import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Codec } from "../wire/codec.ts";
import { FrameError } from "../wire/frame-error.ts";
import { CloseCode, type Frame } from "../wire/frames.ts";
import type { Busy } from "./busy.ts";
import { Delay } from "./delay.ts";
import { keepAlive } from "./heartbeat.ts";

/** A connection past the greeting: to one neighbour, if not said otherwise. */
export interface Link<Said = Frame> {
  /**
   * Hands the message to the socket: at most once, never kept for later but for a delay that was asked for, nothing
   * at all once the link is closing.
   */
  send(message: Said): void;
  /**
   * What was sent before still goes out, then the close; nothing more is received. `reason` is cut at 123 bytes.
   */
  close(code: number, reason: string): void;
  /** Ends the connection at once, with whatever is still buffered. */
  terminate(): void;
  /** From now on what is sent leaves so many milliseconds later, in order; what waits leaves at once. */
  delay(ms: number): void;
  /** Bytes sent and not yet taken by the network. */
  readonly bufferedBytes: number;
  /** The other end has said that it knows question frames. */
  readonly takesQuestions: boolean;
}

/**
 * Why a link went down, or never came up: a WebSocket close code (1006: no close was heard), and a line to log.
 */
export interface Why {
  readonly code: number;
  readonly reason: string;
  /** The peer said so; else this end did, or neither. */
  readonly heard?: boolean;
  /** This end closed as done, and the peer confirmed it: it has read all that was sent before. */
  readonly confirmed?: boolean;
}

/** What one end says instead of welcome, or to a welcome it cannot accept. */
export interface Refusal {
  readonly code: number;
  readonly reason: string;
}

/** Ends the connection whose message is being dealt with. */
export function hangUp({ code, reason }: Refusal): never {
  throw new FrameError(reason, code);
}

/** Bytes of the frames that passed a process's links so far; every link that it is handed to adds to it. */
export interface Traffic {
  sent: number;
  received: number;
}

/** What every link of one end has in common. */
export interface LinkOptions {
  /** The longest message to expect. */
  readonly maxFrameBytes: number;
  /** Counts what passes. */
  readonly traffic?: Traffic | undefined;
  /** What the peer is told of long steps of this process. */
  readonly busy?: Busy | undefined;
  /** The peer speaks oftener than once a heartbeat by itself. */
  readonly isTalkative?: boolean;
}

interface SocketLinkOptions<Said, Heard> extends Omit<LinkOptions, "maxFrameBytes"> {
  readonly codec: Codec<Said, Heard>;
  readonly heartbeatMs: number;
  /** What is beneath, where all that is said in one go is to leave in one piece. */
  readonly gatherIn?: Duplex | undefined;
  /** What to do with messages at first. */
  onFrame(message: Heard): void;
  /** Exactly once, after which no message follows. */
  onDown(why: Why): void;
}

/** What `ws` reports for an end without a close frame. */
const NO_CLOSE_HEARD = 1006;
const TOO_BIG = 1009;
const TAKES_QUESTIONS = Buffer.from("questions");

/** A link over an open WebSocket. */
export class SocketLink<Said = Frame, Heard = Frame> implements Link<Said> {
  readonly #socket: WebSocket;
  readonly #options: SocketLinkOptions<Said, Heard>;
  /** A message, in order of arrival. A FrameError thrown here closes the link; any other error ends the process. */
  onFrame: (message: Heard) => void;
  /** Ours, if this end began the closing; else what the socket says. */
  #why: Why | undefined;
  #isDown = false;
  #takesQuestions = false;
  readonly #delay = new Delay<Buffer | string>((bytes) => this.#write(bytes));
  #delayedBytes = 0;

  constructor(socket: WebSocket, options: SocketLinkOptions<Said, Heard>) {
    this.#socket = socket;
    this.#options = options;
    this.onFrame = options.onFrame;
    socket.on("message", (bytes: Buffer, isBinary: boolean) => this.#receive(bytes, isBinary));
    // "close" always follows "error", and is where we act.
    socket.on("error", (error) => {
      this.#why ??= whyOfError(error);
    });
    socket.on("close", (code, reason) => {
      const heard = code !== NO_CLOSE_HEARD;
      this.down({ code, reason: reason.toString(), ...(heard && { heard }) });
    });
    socket.on("ping", (word: Buffer) => {
      if (word.equals(TAKES_QUESTIONS)) this.#takesQuestions = true;
    });
    keepAlive(socket, options.heartbeatMs, () => this.#giveUp(), options);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount + this.#delayedBytes;
  }

  get takesQuestions(): boolean {
    return this.#takesQuestions;
  }

  /** It carries nothing any more, or soon will not. */
  get isEnding(): boolean {
    return this.#why !== undefined || this.#isDown;
  }

  /** In a ping, which says nothing to a peer that does not know the word. */
  sayTakesQuestions(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(TAKES_QUESTIONS);
  }

  send(message: Said): void {
    if (this.#why !== undefined || this.#socket.readyState !== this.#socket.OPEN) return;
    const { codec, traffic } = this.#options;
    const bytes = codec.encode(message);
    if (traffic) traffic.sent += bytes.length;
    this.#delayedBytes += bytes.length;
    this.#delay.take(bytes);
  }

  delay(ms: number): void {
    this.#delay.ms = ms;
  }

  #write(bytes: Buffer | string): void {
    this.#delayedBytes -= bytes.length;
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#gather();
    // To allocate it anew costs more than to fill it, and is garbage of the longest kind.
    this.#socket.send(bytes, (error) => error ?? this.#options.codec.reuse?.(bytes));
  }

  /** Here as there each piece costs more than what is in it. */
  #gather(): void {
    const { gatherIn } = this.#options;
    if (gatherIn === undefined || gatherIn.writableCorked > 0) return;
    gatherIn.cork();
    queueMicrotask(() => gatherIn.uncork());
  }

  /** Hears nothing for so long; the peer finds that its words are not taken. */
  pause(ms: number): void {
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), ms);
  }

  close(code: number, reason: string): void {
    this.#delay.flush();
    this.#why ??= { code, reason };
    this.#socket.close(code, cutReason(reason));
    // This process may end at once.
    this.#options.gatherIn?.uncork();
  }

  terminate(reason = "terminated"): void {
    this.#why ??= { code: NO_CLOSE_HEARD, reason };
    this.#socket.terminate();
  }

  /** Reports the end of the link, once; `why` counts only if this end did not begin it. */
  down(why: Why): void {
    if (this.#isDown) return;
    this.#isDown = true;
    if (this.#why?.code === CloseCode.done && why.heard && why.code === CloseCode.done)
      this.#why = { ...this.#why, confirmed: true };
    this.#options.onDown(this.#why ?? why);
  }

  #giveUp(): void {
    this.#why ??= { code: NO_CLOSE_HEARD, reason: "no sign of life within two heartbeats" };
    // Not close(): a peer that answers no ping answers no close either.
    this.#socket.terminate();
  }

  // Runs in the socket's event, where anything thrown would end the process without saying whose frame it was.
  #receive(bytes: Buffer, isBinary: boolean): void {
    if (this.#why !== undefined) return;
    if (this.#options.traffic) this.#options.traffic.received += bytes.length;
    try {
      this.onFrame(this.#options.codec.decode(bytes, isBinary));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends because of what a frame led to: a FrameError is the peer's, anything else a bug of ours. */
  fail(error: unknown): void {
    if (error instanceof FrameError) this.close(error.code, error.message);
    else this.#crash(error);
  }

  /** A bug of ours, not of the peer: no more frames, and the error goes where nothing can catch it. */
  #crash(error: unknown): void {
    this.#why = { code: NO_CLOSE_HEARD, reason: String(error) };
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** A close reason may have 123 bytes; a cut never splits a character. */
export function cutReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= 123) return reason;
  let end = 120;
  // 10xxxxxx continues a character.
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return `${bytes.toString("utf8", 0, end)}…`;
}

export function whyOfError(error: Error & { code?: unknown }): Why {
  const code = error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" ? TOO_BIG : NO_CLOSE_HEARD;
  // An AggregateError, as dialling a name with two addresses gives, has an empty message.
  return { code, reason: error.message || String(error.code ?? error.name) };
}

/** After these the same dial would be answered alike; someone must change something first. */
const PERMANENT: readonly number[] = [
  CloseCode.unproven,
  CloseCode.wrongRun,
  CloseCode.wrongVersion,
  CloseCode.fenced,
  CloseCode.mismatch,
];

/**
 * Whether it is no use dialling again. Not where this end met a former life of the peer: the one in office will
 * come.
 */
export function isRefusal({ code, heard }: Why): boolean {
  return PERMANENT.includes(code) && (code !== CloseCode.fenced || heard === true);
}
