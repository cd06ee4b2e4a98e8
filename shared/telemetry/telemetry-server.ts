import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { keepAlive } from "../link/heartbeat.ts";
import { acceptOptions } from "../link/limits.ts";
import { boundBytes, PendingConnections } from "../link/pending-connections.ts";
import { newNonce } from "../link/proof.ts";
import type { Secret } from "../link/secret.ts";
import { provenCommand, provenQuestion, refuseIntroduction } from "./hub-proof.ts";
import {
  type AnswerMessage,
  type Command,
  type Goodbye,
  type Introduction,
  type QuestionMessage,
  type Standing,
  TELEMETRY_PROTOCOL,
  type ToWorker,
} from "./messages.ts";
import { type Heard, MOST_MESSAGE_BYTES, parseTelemetry } from "./parse-telemetry.ts";

export interface TelemetryServerOptions {
  readonly secret: Secret | undefined;
  readonly handshakeMs: number;
  /** Why this worker is not one of the run; undefined if it is. */
  readonly refuse: (introduction: Introduction) => string | undefined;
  readonly introduced: (visitor: TelemetryClient) => void;
  readonly stood: (visitor: TelemetryClient, standing: Standing) => void;
  readonly answered: (visitor: TelemetryClient, answer: AnswerMessage) => void;
  readonly said: (visitor: TelemetryClient, line: Extract<Heard, { kind: "line" }>) => void;
  readonly goodbye: (visitor: TelemetryClient, why: Goodbye["why"]) => void;
  /** Once for each that was introduced. */
  readonly left: (visitor: TelemetryClient, why: Leaving) => void;
  readonly turnedAway: (reason: string) => void;
}

/** "sent away" by us: nothing is known of it by that. */
export type Leaving = "broke" | "sent away";

/** A worker with an open connection, introduced. */
export interface TelemetryClient {
  readonly introduction: Introduction;
  /** Where it comes from. */
  readonly host: string;
  acknowledge(seq: number): void;
  /** `worker`: whom it is about, if another. */
  command(command: Command, worker?: string): void;
  /** To a source that takes questions. */
  ask(question: Omit<QuestionMessage, "kind" | "proof">): void;
  /** It dials again, and says again what was not acknowledged. */
  sendAway(reason: string): void;
}

/** All connections, of workers that are introduced and of those that are not yet. */
const MOST_CONNECTIONS = 1_200;
/** Beyond it nothing more is read from the worker until the second is over; it keeps its lines until then. */
const MOST_MESSAGES_A_SECOND = 2_000;
const HEARTBEAT_MS = 2_000;
const POLICY = 1008;
const TRY_AGAIN = 1013;

/** Where workers come in to tell of themselves: /telemetry of the hub's port. */
export class TelemetryServer {
  readonly #options: TelemetryServerOptions;
  readonly #sockets = new WebSocketServer(acceptOptions(MOST_MESSAGE_BYTES));
  readonly #strangers: PendingConnections;
  readonly #visitors = new Map<WebSocket, Visiting>();

  constructor(options: TelemetryServerOptions) {
    this.#options = options;
    this.#strangers = new PendingConnections(options.handshakeMs);
  }

  get connections(): number {
    return this.#sockets.clients.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {});
    // Only browsers send an origin, and no page has business here.
    if (request.headers.origin !== undefined) return refuseUpgrade(socket, "403 Forbidden");
    if (this.connections >= MOST_CONNECTIONS) return refuseUpgrade(socket, "503 Service Unavailable");
    const host = request.socket.remoteAddress ?? "";
    this.#sockets.handleUpgrade(request, socket, head, (accepted) =>
      this.#accept(accepted, socket, host, `${host} ${request.socket.remotePort}`),
    );
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.close(1001, "the hub ends");
    this.#sockets.close();
  }

  /** At once. */
  terminate(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  #accept(socket: WebSocket, raw: Duplex, host: string, key: string): void {
    const nonce = newNonce();
    this.#strangers.meet(
      key,
      () => turnAway(socket, "no introduction in time"),
      () => socket.terminate(),
    );
    // An introduction holds a config, and so is longer than any hello.
    const stopCounting = boundBytes(raw, () => socket.terminate(), 2 * MOST_MESSAGE_BYTES);
    socket.on("error", () => {});
    socket.on("message", (bytes: Buffer, isBinary: boolean) => {
      const visitor = this.#visitors.get(socket);
      const heard = this.#read(bytes, isBinary, socket);
      if (heard === undefined) return;
      if (visitor !== undefined) return this.#hear(visitor, heard, socket);
      this.#strangers.forget(key);
      stopCounting();
      this.#greet(socket, heard, host, nonce);
    });
    socket.on("close", () => {
      this.#strangers.forget(key);
      const visitor = this.#visitors.get(socket);
      this.#visitors.delete(socket);
      if (visitor !== undefined) this.#options.left(visitor, visitor.isSentAway ? "sent away" : "broke");
    });
    send(socket, { kind: "challenge", protocol: TELEMETRY_PROTOCOL, nonce });
  }

  #read(bytes: Buffer, isBinary: boolean, socket: WebSocket): Heard | undefined {
    if (socket.readyState !== socket.OPEN) return undefined;
    try {
      if (isBinary) throw new Error("it is binary");
      return parseTelemetry(bytes.toString());
    } catch (error) {
      this.#refuse(socket, `cannot understand: ${(error as Error).message}`);
      return undefined;
    }
  }

  #greet(socket: WebSocket, heard: Heard, host: string, nonce: string): void {
    if (heard.kind !== "introduction") {
      return this.#refuse(socket, `the first word is ${heard.kind}, expected introduction`);
    }
    const reason =
      refuseIntroduction(this.#options.secret, heard, nonce) ??
      refuseProtocol(heard) ??
      this.#options.refuse(heard);
    if (reason !== undefined) return this.#refuse(socket, reason);
    for (const [other, { introduction }] of this.#visitors) {
      // Its connection broke and we have not heard of it.
      if (introduction.instance === heard.instance) other.terminate();
    }
    const { secret } = this.#options;
    const visitor = new Visiting(socket, heard, host, {
      command: (command, worker) => send(socket, provenCommand(secret, command, heard, nonce, worker)),
      ask: (question) => send(socket, provenQuestion(secret, question, heard, nonce)),
    });
    this.#visitors.set(socket, visitor);
    keepAlive(socket, HEARTBEAT_MS, () => socket.terminate(), { isTalkative: true });
    this.#options.introduced(visitor);
  }

  #hear(visitor: Visiting, heard: Heard, socket: WebSocket): void {
    visitor.slowDown();
    switch (heard.kind) {
      case "line":
        return this.#options.said(visitor, heard);
      case "answer":
        return this.#options.answered(visitor, heard);
      case "standing":
        return this.#options.stood(visitor, heard);
      case "goodbye":
        return this.#options.goodbye(visitor, heard.why);
      case "introduction":
        return this.#refuse(socket, "it has introduced itself already");
    }
  }

  #refuse(socket: WebSocket, reason: string): void {
    this.#options.turnedAway(reason);
    turnAway(socket, reason);
  }
}

class Visiting implements TelemetryClient {
  readonly introduction: Introduction;
  readonly host: string;
  readonly command: TelemetryClient["command"];
  readonly ask: TelemetryClient["ask"];
  readonly #socket: WebSocket;
  #isSentAway = false;
  #second = 0;
  #messages = 0;

  constructor(
    socket: WebSocket,
    introduction: Introduction,
    host: string,
    { command, ask }: Pick<TelemetryClient, "command" | "ask">,
  ) {
    this.#socket = socket;
    this.introduction = introduction;
    this.host = host;
    this.command = command;
    this.ask = ask;
  }

  get isSentAway(): boolean {
    return this.#isSentAway;
  }

  acknowledge(seq: number): void {
    send(this.#socket, { kind: "ack", seq });
  }

  sendAway(reason: string): void {
    this.#isSentAway = true;
    this.#socket.close(TRY_AGAIN, reason);
  }

  slowDown(): void {
    const now = performance.now();
    const second = Math.floor(now / 1000);
    this.#messages = second === this.#second ? this.#messages + 1 : 1;
    this.#second = second;
    if (this.#messages !== MOST_MESSAGES_A_SECOND) return;
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), (second + 1) * 1000 - now);
  }
}

function refuseProtocol({ protocol }: Introduction): string | undefined {
  if (protocol === TELEMETRY_PROTOCOL) return undefined;
  return `protocol is ${protocol}, expected ${TELEMETRY_PROTOCOL}`;
}

function send(socket: WebSocket, message: ToWorker): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
}

/** A reason is at most 123 bytes long. */
function turnAway(socket: WebSocket, reason: string): void {
  socket.close(POLICY, Buffer.from(reason).subarray(0, 120).toString());
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
