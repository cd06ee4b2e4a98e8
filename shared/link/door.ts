import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Codec } from "../wire/codec.ts";
import { FrameError } from "../wire/frame-error.ts";
import { CloseCode } from "../wire/frames.ts";
import { acceptOptions, STRANGER_CLOSE_MS } from "./limits.ts";
import { type LinkOptions, SocketLink, type Why } from "./link.ts";
import { boundBytes, PendingConnections } from "./pending-connections.ts";
import { newNonce } from "./proof.ts";
import type { LinkTimings } from "./timings.ts";

interface DoorOptions<Said, Heard> extends LinkOptions {
  /** Of the requests that it upgrades. */
  readonly path: string;
  readonly link: Pick<LinkTimings, "heartbeatMs" | "handshakeMs">;
  /** All connections, welcomed or not. */
  readonly mostConnections: number;
  /** What a peer may send before it is welcomed, in all. */
  readonly strangerBytes: number;
  /** One for each connection. */
  codec(): Codec<Said, Heard>;
  /** The first word to everyone. */
  challenge(nonce: string): Said;
  /** Takes in whoever says this first, now or later; a FrameError turns it away, and so does a word before its time. */
  greet(hello: Heard, link: SocketLink<Said, Heard>, arrival: Arrival): Guest<Heard> | Promise<Guest<Heard>>;
  /** A connection ended before it was welcomed. */
  onTurnedAway?(why: Why): void;
}

export interface Arrival {
  /** Of the challenge that it was sent. */
  readonly nonce: string;
  /** Where it comes from. */
  readonly host: string;
}

/** A peer that is welcome. */
export interface Guest<Heard> {
  /** In order of arrival, within the read that brought it. A FrameError closes the link. */
  readonly hear: (message: Heard) => void;
  readonly left: (why: Why) => void;
}

/** Where peers come in: upgrades, challenges, and bounds what those can cost that are not welcome yet. */
export class Door<Said, Heard> {
  readonly #options: DoorOptions<Said, Heard>;
  readonly #webSockets: WebSocketServer;
  readonly #strangers: PendingConnections;
  readonly #links = new Set<SocketLink<Said, Heard>>();
  #isOpen = true;

  constructor(options: DoorOptions<Said, Heard>) {
    this.#options = options;
    this.#strangers = new PendingConnections(options.link.handshakeMs);
    this.#webSockets = new WebSocketServer(acceptOptions(options.maxFrameBytes));
  }

  get connections(): number {
    return this.#webSockets.clients.size;
  }

  /** A connection of which nothing is known yet; `expire`: what to do with it when its time is up. */
  meet(socket: Socket, expire: () => void): void {
    const key = addressOf(socket);
    socket.once("close", () => this.#strangers.forget(key));
    this.#strangers.meet(key, expire, () => socket.destroy());
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A peer that resets its connection now must not end the process; "close" follows.
    socket.on("error", () => {});
    const refused = this.#refused(request);
    if (refused !== undefined) return refuseRequest(socket, refused);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#accept(webSocket, socket, request.socket),
    );
  }

  /** Resolves when every link is down, and its owner has heard of it. */
  close(code: CloseCode, reason: string): Promise<void> {
    this.#isOpen = false;
    const linksDown = new Promise<void>((resolve) => this.#webSockets.close(() => resolve()));
    for (const link of this.#links) link.close(code, reason);
    return linksDown;
  }

  /** At once. */
  terminate(): void {
    for (const link of this.#links) link.terminate();
  }

  /** The status to refuse an upgrade with. Only browsers send an origin, and no page has business here. */
  #refused({ headers, url }: IncomingMessage): string | undefined {
    if (headers.origin !== undefined) return "403 Forbidden";
    if (url !== this.#options.path) return "404 Not Found";
    const isFull = this.connections >= this.#options.mostConnections;
    return this.#isOpen && !isFull ? undefined : "503 Service Unavailable";
  }

  #accept(socket: WebSocket, raw: Duplex, request: Socket): void {
    const {
      codec,
      challenge,
      strangerBytes,
      link: timings,
      traffic,
      busy,
      isTalkative = false,
    } = this.#options;
    const key = addressOf(request);
    const arrival = { nonce: newNonce(), host: request.remoteAddress ?? "" };
    const stopCounting = boundBytes(raw, (reason) => link.terminate(reason), strangerBytes);
    let guest: Guest<Heard> | undefined;
    const takeIn = (welcome: Guest<Heard>) => {
      guest = welcome;
      link.onFrame = guest.hear;
      this.#strangers.forget(key);
      stopCounting();
    };
    const greet = (hello: Heard) => {
      const found = this.#options.greet(hello, link, arrival);
      if (!(found instanceof Promise)) return takeIn(found);
      link.onFrame = tooEarly;
      found.then(takeIn, (error: unknown) => link.fail(error));
    };
    const link: SocketLink<Said, Heard> = new SocketLink(socket, {
      ...{ traffic, busy, isTalkative, heartbeatMs: timings.heartbeatMs },
      codec: codec(),
      onFrame: greet,
      onDown: (why) => {
        this.#links.delete(link);
        this.#strangers.forget(key);
        if (guest) guest.left(why);
        else this.#options.onTurnedAway?.(why);
      },
    });
    const expire = () => expireLink(link, `no hello within ${timings.handshakeMs} ms`);
    this.#strangers.meet(key, expire, () => link.terminate("too many strangers"));
    this.#links.add(link);
    link.send(challenge(arrival.nonce));
  }
}

function tooEarly(): never {
  throw new FrameError("Cannot take another frame before the hello was answered");
}

/** Also one that was refused before, and does not answer the close. */
function expireLink(link: Pick<SocketLink, "close" | "terminate">, reason: string): void {
  link.close(CloseCode.helloTimeout, reason);
  setTimeout(() => link.terminate(), STRANGER_CLOSE_MS).unref();
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

export function refuseRequest(socket: Duplex, status: string): void {
  // Once upgraded, no timeout of the server's applies: a peer that never hangs up would stay.
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
