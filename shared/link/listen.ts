import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { FrameError } from "../wire/frame-error.ts";
import {
  CloseCode,
  type ForwardFrame,
  type Frame,
  type HelloFrame,
  PROTOCOL_VERSION,
  type WelcomeFrame,
} from "../wire/frames.ts";
import type { Busy } from "./busy.ts";
import { acceptOptions, httpOptions, MOST_CONNECTIONS, STRANGER_CLOSE_MS } from "./limits.ts";
import { type Link, type Refusal, SocketLink, type Traffic, type Why } from "./link.ts";
import { boundBytes, PendingConnections } from "./pending-connections.ts";
import { newNonce, provenBack, refuseUnproven } from "./proof.ts";
import type { Secret } from "./secret.ts";
import type { LinkTimings } from "./timings.ts";
import { type TlsCredentials, tlsOptions } from "./tls.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose; the listener says which it was. */
  readonly port: number;
  readonly link: LinkTimings;
  /** A peer that does not prove that it has it too is turned away. Without one, any peer is believed. */
  readonly secret?: Secret | undefined;
  /** A peer without a certificate of this authority is not heard at all. Without it, connections are plain. */
  readonly tls?: TlsCredentials | undefined;
  /** The longest activation frame to expect. */
  readonly maxFrameBytes: number;
  /** Counts what passes. */
  readonly traffic?: Traffic | undefined;
  /** What the peer is told of long steps of this process. */
  readonly busy?: Busy | undefined;
  /** Plain GET requests by path, such as /healthz. */
  readonly routes?: Routes;
  /**
   * To a hello that was proved. A welcome takes the newcomer in, in place of the predecessor there was; a refusal
   * hangs up on it.
   */
  answer(hello: HelloFrame): WelcomeFrame | Refusal;
  onUp(link: Link, hello: HelloFrame): void;
  /**
   * In order of arrival, within the read that brought it. A FrameError thrown here closes the link with its code.
   */
  onFrame(frame: ForwardFrame, link: Link): void;
  /** Once for every link that was up, before the next one is. */
  onDown(link: Link, why: Why): void;
  /** A connection ended before it was welcomed. */
  onTurnedAway?(why: Why): void;
}

type Routes = Readonly<Record<string, () => Page | Promise<Page>>>;

export interface Page {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

export interface Listener {
  readonly port: number;
  /**
   * Takes no peer in any more, and closes what is open (default: going away). Resolves when every socket is gone.
   */
  close(code?: CloseCode, reason?: string): Promise<void>;
}

/** Waits for the predecessor, one at a time. Rejects if the port cannot be had. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const listening = new Listening(options);
  await listening.open();
  return listening;
}

/** A connection that was upgraded and not welcomed yet. */
interface Arrival {
  readonly key: string;
  /** Of the challenge that it was sent. */
  readonly nonce: string;
  readonly stopCounting: () => void;
}

class Listening implements Listener {
  readonly #options: ListenOptions;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  /** Everyone with an open socket, greeted or not. */
  readonly #links = new Set<SocketLink>();
  readonly #strangers: PendingConnections;
  #predecessor: SocketLink | undefined;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#strangers = new PendingConnections(options.link.handshakeMs);
    this.#webSockets = new WebSocketServer(acceptOptions(options.maxFrameBytes));
    this.#http = this.#createServer();
    this.#http.maxConnections = MOST_CONNECTIONS;
    this.#http.on("connection", (socket) => this.#meet(socket));
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  #createServer(): Server {
    const { link, routes = {}, tls, onTurnedAway } = this.#options;
    const common = httpOptions(link.handshakeMs);
    const answer = async (request: IncomingMessage, response: ServerResponse) =>
      respond(response, await pageFor(request, routes));
    if (tls === undefined) return createServer(common, answer);
    const server = createTlsServer({ ...common, ...tlsOptions(tls) }, answer);
    // A certificate that is refused is no error of the connection's.
    server.on("tlsClientError", ({ message }, { authorizationError }) =>
      onTurnedAway?.({ code: 1006, reason: String(authorizationError ?? message) }),
    );
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  open(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#http.once("error", (error) => reject(cannotListen(host, port, error)));
      this.#http.listen({ host, port }, resolve);
    });
  }

  async close(code: CloseCode = CloseCode.goingAway, reason = ""): Promise<void> {
    const portFreed = new Promise((resolve) => this.#http.close(resolve));
    // A connection is gone a moment before its WebSocket says so: the owner must have heard onDown by then.
    const linksDown = new Promise((resolve) => this.#webSockets.close(resolve));
    this.#http.closeAllConnections();
    for (const link of this.#links) link.close(code, reason);
    await Promise.all([portFreed, linksDown]);
  }

  #meet(socket: Socket): void {
    const key = addressOf(socket);
    socket.once("close", () => this.#strangers.forget(key));
    const cut = () => socket.destroy();
    // Under TLS words from here would be nonsense to the other end.
    const expire = this.#options.tls ? cut : () => refuseRequest(socket, "408 Request Timeout");
    this.#strangers.meet(key, expire, cut);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A peer that resets its connection now must not end the process; "close" follows.
    socket.on("error", () => {});
    const refused = refusedUpgrade(request);
    if (refused !== undefined || !this.#http.listening) {
      refuseRequest(socket, refused ?? "503 Service Unavailable");
      return;
    }
    const key = addressOf(request.socket);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#accept(webSocket, socket, key),
    );
  }

  #accept(socket: WebSocket, raw: Duplex, key: string): void {
    const { maxFrameBytes, traffic, busy, link: config } = this.#options;
    const stopCounting = boundBytes(raw, (reason) => link.terminate(reason));
    const arrival: Arrival = { key, nonce: newNonce(), stopCounting };
    const link: SocketLink = new SocketLink(socket, {
      maxFrameBytes,
      traffic,
      busy,
      heartbeatMs: config.heartbeatMs,
      onFrame: (frame) => this.#receive(frame, link, arrival),
      onDown: (why) => this.#ended(link, why),
    });
    const expire = () => expireLink(link, `no hello within ${config.handshakeMs} ms`);
    this.#strangers.advance(key, expire, () => link.terminate("too many strangers"));
    this.#links.add(link);
    link.send({ kind: "challenge", protocol: PROTOCOL_VERSION, nonce: arrival.nonce });
  }

  #receive(frame: Frame, link: SocketLink, arrival: Arrival): void {
    if (link === this.#predecessor) this.#options.onFrame(forwardFrame(frame), link);
    else this.#greeted(frame, link, arrival);
  }

  #greeted(hello: Frame, link: SocketLink, { key, nonce, stopCounting }: Arrival): void {
    if (hello.kind !== "hello") throw new FrameError(`Cannot take ${hello.kind}: the first frame is hello`);
    const { secret } = this.#options;
    const answer = refuseUnproven(secret, hello, nonce) ?? this.#options.answer(hello);
    if ("code" in answer) return link.close(answer.code, answer.reason);
    this.#strangers.forget(key);
    stopCounting();
    this.#replaceWith(link, hello);
    link.send(provenBack(secret, answer, hello, nonce));
    link.sayTakesQuestions();
    this.#options.onUp(link, hello);
  }

  #replaceWith(link: SocketLink, hello: HelloFrame): void {
    const old = this.#predecessor;
    const why: Refusal = {
      code: CloseCode.fenced,
      reason: `replaced by layer ${hello.from}, incarnation ${hello.incarnation}, instance ${hello.instance}`,
    };
    old?.close(why.code, why.reason);
    // Its socket may take seconds to go, but for the owner it is down now, before the newcomer is up.
    old?.down(why);
    this.#predecessor = link;
  }

  #ended(link: SocketLink, why: Why): void {
    this.#links.delete(link);
    if (link !== this.#predecessor) return this.#options.onTurnedAway?.(why);
    this.#predecessor = undefined;
    this.#options.onDown(link, why);
  }
}

/** Also one that was refused before, and does not answer the close. */
function expireLink(link: SocketLink, reason: string): void {
  link.close(CloseCode.helloTimeout, reason);
  setTimeout(() => link.terminate(), STRANGER_CLOSE_MS).unref();
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function forwardFrame(frame: Frame): ForwardFrame {
  if (frame.kind === "activation" || frame.kind === "preview" || frame.kind === "correction") return frame;
  if (frame.kind === "question") return frame;
  if (frame.kind === "barrier" || frame.kind === "end" || frame.kind === "release") return frame;
  throw new FrameError(
    `Cannot take ${frame.kind}: a predecessor sends activation, preview, correction, question, barrier, end or release`,
  );
}

/** The status to refuse an upgrade with. Only browsers send an origin, and no page has business here. */
function refusedUpgrade(request: IncomingMessage): string | undefined {
  if (request.headers.origin !== undefined) return "403 Forbidden";
  if (request.url !== "/") return "404 Not Found";
  return undefined;
}

function refuseRequest(socket: Duplex, status: string): void {
  // Once upgraded, no timeout of the server's applies: a peer that never hangs up would stay.
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function pageFor(request: IncomingMessage, routes: Routes): Promise<Page> {
  if (request.headers.origin !== undefined) return { status: 403, body: "no pages here\n" };
  const path = request.url ?? "/";
  const page = routes[path];
  if (page !== undefined && request.method === "GET") return await madeBy(page);
  if (path === "/") return { status: 426, body: "a WebSocket is expected here\n" };
  return { status: 404, body: "not found\n" };
}

/** A page that cannot be made is no reason for this process to end. */
async function madeBy(page: () => Page | Promise<Page>): Promise<Page> {
  try {
    return await page();
  } catch (error) {
    return { status: 500, body: `${(error as Error).message}\n` };
  }
}

function respond(response: ServerResponse, { status, body, type = "text/plain; charset=utf-8" }: Page): void {
  const headers = { "content-type": type, "content-length": Buffer.byteLength(body), connection: "close" };
  response.writeHead(status, headers).end(body);
}

function cannotListen(host: string, port: number, error: NodeJS.ErrnoException): Error {
  const found = error.code === "EADDRINUSE" ? "the port is taken" : error.message;
  return new Error(`Cannot listen on ${host}:${port}: ${found}`, { cause: error });
}
