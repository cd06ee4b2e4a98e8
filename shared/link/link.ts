import type { WebSocket } from "ws";
import type { Codec } from "../wire/codec.ts";
import { FastCodec } from "../wire/fast/fast-codec.ts";
import { FrameError } from "../wire/frame-error.ts";
import { CloseCode, type Frame } from "../wire/frames.ts";
import type { Busy } from "./busy.ts";
import { keepAlive } from "./heartbeat.ts";

/** A connection to one neighbour, past the greeting. */
export interface Link {
  /**
   * Hands the frame to the socket: at most once, never kept for later, nothing at all once the link is closing.
   */
  send(frame: Frame): void;
  /**
   * What was sent before still goes out, then the close; nothing more is received. `reason` is cut at 123 bytes.
   */
  close(code: CloseCode, reason: string): void;
  /** Ends the connection at once, with whatever is still buffered. */
  terminate(): void;
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
  readonly code: CloseCode;
  readonly reason: string;
}

/** Bytes of the frames that passed a process's links so far; every link that it is handed to adds to it. */
export interface Traffic {
  sent: number;
  received: number;
}

interface SocketLinkOptions {
  readonly maxFrameBytes: number;
  readonly traffic?: Traffic | undefined;
  readonly heartbeatMs: number;
  readonly busy?: Busy | undefined;
  /** A frame, in order of arrival. A FrameError thrown here closes the link; any other error ends the process. */
  onFrame(frame: Frame): void;
  /** Exactly once, after which no frame follows. */
  onDown(why: Why): void;
}

/** What `ws` reports for an end without a close frame. */
const NO_CLOSE_HEARD = 1006;
const TOO_BIG = 1009;
const TAKES_QUESTIONS = Buffer.from("questions");

/** A link over an open WebSocket. */
export class SocketLink implements Link {
  readonly #socket: WebSocket;
  readonly #options: SocketLinkOptions;
  readonly #codec: Codec;
  /** Ours, if this end began the closing; else what the socket says. */
  #why: Why | undefined;
  #isDown = false;
  #takesQuestions = false;

  constructor(socket: WebSocket, options: SocketLinkOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#codec = new FastCodec(options);
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
    keepAlive(socket, options.heartbeatMs, () => this.#giveUp(), { busy: options.busy });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  get takesQuestions(): boolean {
    return this.#takesQuestions;
  }

  /** In a ping, which says nothing to a peer that does not know the word. */
  sayTakesQuestions(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(TAKES_QUESTIONS);
  }

  send(frame: Frame): void {
    if (this.#why === undefined && this.#socket.readyState === this.#socket.OPEN) {
      const bytes = this.#codec.encode(frame);
      if (this.#options.traffic) this.#options.traffic.sent += bytes.length;
      // To allocate it anew costs more than to fill it, and is garbage of the longest kind.
      this.#socket.send(bytes, (error) => error ?? this.#codec.reuse(bytes));
    }
  }

  close(code: CloseCode, reason: string): void {
    this.#why ??= { code, reason };
    this.#socket.close(code, cutReason(reason));
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
      if (!isBinary) throw new FrameError("Cannot read frame: it is text, expected binary");
      this.#options.onFrame(this.#codec.decode(bytes));
    } catch (error) {
      if (error instanceof FrameError) this.close(error.code, error.message);
      else this.#crash(error);
    }
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
