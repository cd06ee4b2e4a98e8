import type { WebSocket } from "ws";
import { type Frame, pack, unpackFrame } from "./frame.ts";
import { Waiting } from "./waiting.ts";

/** What the worker under test did that PROTOCOL.md does not have. */
export class Broken extends Error {
  override readonly name = "Broken";
}

interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A worker answers within that time, or not at all. */
export const ANSWER_MS = 3_000;
/** Silence that long counts as silence. */
export const SILENCE_MS = 150;
/** Of pings; a worker that computes for long says another number each time. */
const MOST_WORDS = 1_000;

/** One WebSocket to the worker under test: what comes is kept in order until it is asked for. */
export class Peer {
  readonly socket: WebSocket;
  /** Signs of life from the worker. */
  pings = 0;
  /** What they said. */
  readonly words = new Set<string>();
  #frames: Frame[] = [];
  #closed: Closed | undefined;
  #nonsense: string | undefined;
  readonly #waiting = new Waiting();

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (bytes: Buffer, isBinary: boolean) => this.#receive(bytes, isBinary));
    socket.on("ping", (word: Buffer) => {
      this.pings++;
      if (this.words.size < MOST_WORDS) this.words.add(word.toString("latin1"));
    });
    socket.on("error", () => {});
    socket.on("close", (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      this.#waiting.wake();
    });
  }

  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  /** A frame as a map, or as whatever bytes; text goes as text. */
  send(what: Frame | Buffer | string): void {
    const bytes = typeof what === "string" || Buffer.isBuffer(what) ? what : pack(what);
    this.socket.send(bytes, () => {});
  }

  /** The next frame. Throws where it is of another kind, or does not come. */
  async next(kind: string, withinMs = ANSWER_MS): Promise<Frame> {
    await this.#waiting.until(() => this.#frames.length > 0 || this.#closed !== undefined, withinMs);
    const frame = this.#frames.shift();
    if (frame?.kind === kind) return frame;
    throw new Broken(
      `expected ${kind}, got ${frame ? JSON.stringify(brief(frame)) : this.#silence(withinMs)}`,
    );
  }

  /** Of what kind the next frame is, which is left to be asked for; undefined where none comes. */
  async peek(withinMs = ANSWER_MS): Promise<string | undefined> {
    await this.#waiting.until(() => this.#frames.length > 0 || this.#closed !== undefined, withinMs);
    return this.#frames[0]?.kind;
  }

  /** The first of this kind among those that came and were not asked for; it is left there. */
  first(kind: string): Frame | undefined {
    return this.#frames.find((frame) => frame.kind === kind);
  }

  /** All frames that came and were not asked for. */
  take(): Frame[] {
    return this.#frames.splice(0);
  }

  /** How the worker closed. Frames that come before it are dropped. */
  async closes(withinMs = ANSWER_MS): Promise<Closed> {
    await this.#waiting.until(() => this.#closed !== undefined, withinMs);
    if (this.#closed === undefined) throw new Broken(`expected a close, none came within ${withinMs} ms`);
    return this.#closed;
  }

  /** Throws unless the worker closes with this code, and a reason that fits. */
  async closesWith(code: number, withinMs = ANSWER_MS): Promise<void> {
    const closed = await this.closes(withinMs);
    const found = `${closed.code} ${closed.reason}`.trim();
    if (closed.code !== code) throw new Broken(`expected close code ${code}, got ${found}`);
  }

  /** Throws at a frame, or where the link ends. */
  async staysSilent(forMs = SILENCE_MS): Promise<void> {
    await this.#waiting.until(() => this.#frames.length > 0 || this.#closed !== undefined, forMs);
    const [frame] = this.#frames;
    if (frame) throw new Broken(`expected silence, got ${JSON.stringify(brief(frame))}`);
    if (this.#closed) throw new Broken(`expected silence, got ${this.#silence(forMs)}`);
  }

  /** Once the worker has answered a ping: it has read what was sent before. */
  async hasRead(): Promise<void> {
    let isBack = false;
    const onPong = () => {
      isBack = true;
      this.#waiting.wake();
    };
    this.socket.once("pong", onPong);
    this.socket.ping(() => {});
    await this.#waiting.until(() => isBack || this.#closed !== undefined, ANSWER_MS);
    if (!isBack) throw new Broken(`expected a pong, got ${this.#silence(ANSWER_MS)}`);
  }

  /** Resolves when the socket is gone. */
  async close(code = 1001): Promise<void> {
    if (this.#closed) return;
    this.socket.close(code);
    await this.#waiting.until(() => this.#closed !== undefined, ANSWER_MS);
    this.socket.terminate();
  }

  #receive(bytes: Buffer, isBinary: boolean): void {
    try {
      if (!isBinary) throw new Error("it is text");
      this.#frames.push(unpackFrame(bytes));
    } catch (error) {
      this.#nonsense = (error as Error).message;
      this.socket.close(4400, "no frame");
    }
    this.#waiting.wake();
  }

  #silence(ms: number): string {
    if (this.#nonsense) return `bytes that are no frame (${this.#nonsense})`;
    if (this.#closed) return `close ${this.#closed.code} ${this.#closed.reason}`.trim();
    return `nothing within ${ms} ms`;
  }
}

/** Without its numbers. */
function brief(frame: Frame): unknown {
  return Object.fromEntries(
    Object.entries(frame).map(([key, value]) => {
      const isTensor = typeof value === "object" && value !== null && "shape" in value;
      return [key, isTensor ? `${(value as { shape: number[] }).shape.join("×")}` : value];
    }),
  );
}
