import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { backoffMs } from "../link/backoff.ts";
import type { Busy } from "../link/busy.ts";
import { keepAlive } from "../link/heartbeat.ts";
import { dialOptions } from "../link/limits.ts";
import { type Why, whyOfError } from "../link/link.ts";
import type { Secret } from "../link/secret.ts";
import type { LinkTimings } from "../link/timings.ts";
import { type TlsCredentials, tlsOptions } from "../link/tls.ts";
import { provenIntroduction, refuseCommand, refuseQuestion } from "./hub-proof.ts";
import type {
  Acknowledgement,
  Challenge,
  Command,
  CommandMessage,
  Introduction,
  QuestionMessage,
  ToHub,
  ToWorker,
} from "./messages.ts";

export interface HubDialOptions {
  /** ws://host:port of the hub, wss:// where it has TLS. */
  readonly url: string;
  readonly link: LinkTimings;
  /** Proves who introduces itself, and is asked of every command. */
  readonly secret?: Secret | undefined;
  readonly tls?: TlsCredentials | undefined;
  /** What the hub is told of long steps of this process. */
  readonly busy?: Busy | undefined;
  /** [0, 1), for the jitter. */
  readonly random: () => number;
  /** The first thing said on every connection. */
  readonly introduction: Introduction;
  onUp(hub: HubLink): void;
  onAcknowledged(seq: number): void;
  /** It was proved where there is a secret; else `refusal` says why it must not be obeyed. `worker`: whom it is about, if another. */
  onCommand(command: Command, refusal: string | undefined, worker?: string): void;
  /** As onCommand; only where the introduction says that it takes questions. */
  onQuestion?(question: QuestionMessage, refusal: string | undefined): void;
  /** Once for every connection that was up. */
  onDown(why: Why): void;
}

/** A connection to the hub, introduced. */
export interface HubLink {
  /** Hands it to the socket; nothing once that is closing. */
  send(message: Exclude<ToHub, Introduction>): void;
  /** Said and not yet taken by the network. */
  readonly bufferedBytes: number;
}

export interface HubDialler {
  /** Stops dialling, and closes what is open after what was sent. */
  close(): void;
}

export type DialHub = (options: HubDialOptions) => HubDialler;

const PATH = "/telemetry";
const MOST_BYTES = 64 * 1024;

/** Dials until it is closed, again and again. Nothing here ever waits, or throws at whoever has something to say. */
export const dialHub: DialHub = (options) => new HubDialling(options);

class HubDialling implements HubDialler {
  readonly #options: HubDialOptions;
  #socket: WebSocket;
  /** What is beneath it, once it is open. */
  #raw: Socket | undefined;
  /** The connection that onUp was told of, with what was said on it. */
  #up: { readonly challenge: string; readonly introduction: Introduction } | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(options: HubDialOptions) {
    this.#options = options;
    this.#socket = this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    // This process may end at once.
    this.#raw?.uncork();
    const isOpen = this.#socket.readyState === WebSocket.OPEN;
    // A hub that is stopped must not hold up the end of this process.
    if (isOpen) this.#socket.close();
    else this.#socket.terminate();
  }

  #connect(): WebSocket {
    const { url, link, tls, busy } = this.#options;
    const socket = new WebSocket(url.replace(/\/*$/, PATH), {
      ...dialOptions(MOST_BYTES, link.handshakeMs),
      ...(tls && url.startsWith("wss:") && tlsOptions(tls)),
      generateMask: () => {},
    });
    let why: Why = { code: 1006, reason: "the connection ended" };
    socket.on("error", (error) => {
      why = whyOfError(error);
    });
    socket.on("message", (bytes: Buffer) => this.#receive(bytes, socket));
    const giveUp = () => socket.terminate();
    // A hub acknowledges.
    socket.once("open", () => keepAlive(socket, link.heartbeatMs, giveUp, { isTalkative: true, busy }));
    socket.once("upgrade", ({ socket: raw }) => {
      this.#raw = raw;
    });
    socket.once("close", (code, reason) => {
      this.#ended(code === 1006 ? why : { code, reason: reason.toString() });
    });
    return socket;
  }

  #receive(bytes: Buffer, socket: WebSocket): void {
    const message = read(bytes);
    if (message === undefined) return socket.close(1008, "a hub says challenge, ack, command or question");
    if (message.kind === "challenge") this.#introduce(message, socket);
    else if (this.#up === undefined) socket.close(1008, "the first word is challenge");
    else if (message.kind === "ack") this.#acknowledged(message);
    else if (message.kind === "question") this.#question(message, this.#up);
    else this.#command(message, this.#up);
  }

  #introduce({ protocol, nonce }: Challenge, socket: WebSocket): void {
    const { secret, introduction: own } = this.#options;
    if (protocol !== own.protocol || this.#up !== undefined)
      return socket.close(1008, `protocol is ${protocol}, expected ${own.protocol}, once`);
    const introduction = provenIntroduction(secret, own, nonce);
    this.#up = { challenge: nonce, introduction };
    socket.send(JSON.stringify(introduction));
    this.#options.onUp({
      send: (message) => {
        if (socket.readyState !== WebSocket.OPEN) return;
        this.#gather();
        socket.send(JSON.stringify(message));
      },
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
    });
  }

  /** What is said in one go leaves in one piece: here as there each piece costs more than what is in it. */
  #gather(): void {
    const raw = this.#raw;
    if (raw === undefined || raw.writableCorked > 0) return;
    raw.cork();
    queueMicrotask(() => raw.uncork());
  }

  #acknowledged({ seq }: Acknowledgement): void {
    // Only a hub that takes what it is told is one: whoever hangs up on us is dialled ever less often.
    this.#failures = 0;
    this.#options.onAcknowledged(seq);
  }

  #command(message: CommandMessage, up: { readonly challenge: string; readonly introduction: Introduction }) {
    const refusal = refuseCommand(this.#options.secret, message, up.introduction, up.challenge);
    this.#options.onCommand(message.command, refusal, message.worker);
  }

  #question(
    message: QuestionMessage,
    up: { readonly challenge: string; readonly introduction: Introduction },
  ) {
    const refusal = refuseQuestion(this.#options.secret, message, up.introduction, up.challenge);
    this.#options.onQuestion?.(message, refusal);
  }

  #ended(why: Why): void {
    const wasUp = this.#up !== undefined;
    this.#up = undefined;
    if (!this.#isClosed) this.#wait();
    if (wasUp) this.#options.onDown(why);
  }

  #wait(): void {
    const { link, random } = this.#options;
    this.#retry = setTimeout(
      () => {
        this.#socket = this.#connect();
      },
      backoffMs(++this.#failures, link.backoffMs, random),
    );
  }
}

/** Undefined unless it is something that a hub says. */
function read(bytes: Buffer): ToWorker | undefined {
  let message: Partial<Record<string, unknown>>;
  try {
    message = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  const isText = (value: unknown) => typeof value === "string";
  const isTextIfAny = (value: unknown) => value === undefined || isText(value);
  switch (message?.kind) {
    case "challenge":
      return Number.isInteger(message.protocol) && isText(message.nonce) ? as(message) : undefined;
    case "ack":
      return Number.isInteger(message.seq) ? as(message) : undefined;
    case "question":
      return Number.isSafeInteger(message.question) && isTextIfAny(message.proof) ? as(message) : undefined;
    case "command":
      return isText(message.command) && isTextIfAny(message.proof) && isTextIfAny(message.worker)
        ? as(message)
        : undefined;
  }
  return undefined;
}

function as(message: object): ToWorker {
  return message as ToWorker;
}
