import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { FastCodec } from "../wire/fast/fast-codec.ts";
import { FrameError } from "../wire/frame-error.ts";
import {
  CloseCode,
  type ForwardFrame,
  type Frame,
  type HelloFrame,
  PROTOCOL_VERSION,
  type WelcomeFrame,
} from "../wire/frames.ts";
import { type Arrival, Door, type Guest, refuseRequest } from "./door.ts";
import { httpOptions, MOST_CONNECTIONS, STRANGER_BYTES } from "./limits.ts";
import { hangUp, type Link, type LinkOptions, type Refusal, type SocketLink, type Why } from "./link.ts";
import { provenBack, refuseUnproven } from "./proof.ts";
import type { Secret } from "./secret.ts";
import type { LinkTimings } from "./timings.ts";
import { type TlsCredentials, tlsOptions } from "./tls.ts";

/** For the predecessor. */
export interface ListenOptions extends LinkOptions {
  readonly host: string;
  /** 0 lets the system choose; the listener says which it was. */
  readonly port: number;
  readonly link: LinkTimings;
  /** A peer that does not prove that it has it too is turned away. Without one, any peer is believed. */
  readonly secret?: Secret | undefined;
  /** A peer without a certificate of this authority is not heard at all. Without it, connections are plain. */
  readonly tls?: TlsCredentials | undefined;
  /** Plain GET requests by path, such as /healthz. */
  readonly routes?: Routes;
  /** Awaited before each `answer`. */
  beforeAnswer?(): Promise<void>;
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

class Listening implements Listener {
  readonly #options: ListenOptions;
  readonly #http: Server;
  readonly #door: Door<Frame, Frame>;
  #predecessor: SocketLink | undefined;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#door = new Door<Frame, Frame>({
      ...options,
      ...{ path: "/", mostConnections: MOST_CONNECTIONS, strangerBytes: STRANGER_BYTES },
      codec: () => new FastCodec(options),
      challenge: (nonce) => ({ kind: "challenge", protocol: PROTOCOL_VERSION, nonce }),
      greet: (hello, link, arrival) => this.#greet(hello, link, arrival),
    });
    this.#http = this.#createServer();
    this.#http.maxConnections = MOST_CONNECTIONS;
    // Under TLS words from here would be nonsense to the other end.
    this.#http.on("connection", (socket) =>
      this.#door.meet(socket, () =>
        options.tls ? socket.destroy() : refuseRequest(socket, "408 Request Timeout"),
      ),
    );
    this.#http.on("upgrade", (request, socket, head) => this.#door.upgrade(request, socket, head));
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
    const linksDown = this.#door.close(code, reason);
    this.#http.closeAllConnections();
    await Promise.all([portFreed, linksDown]);
  }

  #greet(hello: Frame, link: SocketLink, { nonce }: Arrival): Guest<Frame> | Promise<Guest<Frame>> {
    if (hello.kind !== "hello") throw new FrameError(`Cannot take ${hello.kind}: the first frame is hello`);
    const { secret, beforeAnswer } = this.#options;
    const refusal = refuseUnproven(secret, hello, nonce);
    if (refusal) return hangUp(refusal);
    const welcome = () => this.#welcome(hello, link, nonce);
    return beforeAnswer ? beforeAnswer().then(welcome) : welcome();
  }

  #welcome(hello: HelloFrame, link: SocketLink, nonce: string): Guest<Frame> {
    if (link.isEnding) return hangUp({ code: CloseCode.goingAway, reason: "gone before it was answered" });
    const { secret, onUp, onFrame } = this.#options;
    const answer = this.#options.answer(hello);
    if ("code" in answer) return hangUp(answer);
    this.#replaceWith(link, hello);
    link.send(provenBack(secret, answer, hello, nonce));
    link.sayTakesQuestions();
    onUp(link, hello);
    return {
      hear: (frame) => onFrame(forwardFrame(frame), link),
      left: (why) => this.#left(link, why),
    };
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

  #left(link: SocketLink, why: Why): void {
    this.#predecessor = undefined;
    this.#options.onDown(link, why);
  }
}

function forwardFrame(frame: Frame): ForwardFrame {
  if (frame.kind === "activation" || frame.kind === "preview" || frame.kind === "correction") return frame;
  if (frame.kind === "question") return frame;
  if (frame.kind === "barrier" || frame.kind === "end" || frame.kind === "release") return frame;
  throw new FrameError(
    `Cannot take ${frame.kind}: a predecessor sends activation, preview, correction, question, barrier, end or release`,
  );
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
