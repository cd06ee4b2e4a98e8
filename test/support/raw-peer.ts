import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { pack, unpack } from "msgpackr";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { challenge } from "./frames.ts";

/** A value that is waited for; what comes early is kept. */
export class Inbox<Item> {
  readonly #items: Item[] = [];
  readonly #waiting: ((item: Item) => void)[] = [];

  put(item: Item): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#items.push(item);
    else waiter(item);
  }

  next(): Promise<Item> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Those nobody has waited for yet. */
  get kept(): readonly Item[] {
    return this.#items;
  }
}

/** One end of a WebSocket that knows nothing of our codec or link: it sends what it is told, and keeps what it hears. */
export class RawPeer {
  readonly socket: WebSocket;
  readonly received = new Inbox<Record<string, unknown>>();
  readonly closed: Promise<{ code: number; reason: string }>;
  /** What a listener greeted it with. */
  challenge: Record<string, unknown> = {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (bytes: Buffer) => this.received.put(unpack(bytes)));
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** Dials ws://127.0.0.1:port, with random masks as any client has, and waits to be challenged. */
  static async dial(port: number, options: ClientOptions = {}): Promise<RawPeer> {
    const peer = new RawPeer(new WebSocket(`ws://127.0.0.1:${port}/`, options));
    await once(peer.socket, "open");
    peer.challenge = await peer.next();
    return peer;
  }

  send(frame: unknown): void {
    this.socket.send(pack(frame));
  }

  next(): Promise<Record<string, unknown>> {
    return this.received.next();
  }
}

/** Listens as a successor would, and hands out whoever dials: already challenged. */
export class RawListener {
  readonly peers = new Inbox<RawPeer>();
  /** Known after its death, too, so that another can take its place. */
  readonly port: number;
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => {
      const peer = new RawPeer(socket);
      peer.send(challenge);
      this.peers.put(peer);
    });
  }

  static async open(port = 0): Promise<RawListener> {
    const server = new WebSocketServer({ host: "127.0.0.1", port });
    await once(server, "listening");
    return new RawListener(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  /** Ends every connection without a word, as a killed process does, and frees the port. */
  async die(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Upgrades, sends what it is given, and never reads or answers again: like a stopped process, its sockets stay open. */
export class StoppedListener {
  readonly sockets = new Inbox<Socket>();
  readonly #server: Server;
  readonly #all = new Set<Socket>();

  private constructor(server: Server, frames: readonly unknown[] | undefined) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#all.add(socket);
      socket.on("error", () => {});
      if (frames === undefined) this.sockets.put(socket.pause());
      else socket.once("data", (request) => this.#upgrade(socket, request.toString(), frames));
    });
  }

  /** Without `frames` it does not even upgrade. */
  static async open(frames?: readonly unknown[]): Promise<StoppedListener> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new StoppedListener(server, frames);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    for (const socket of this.#all) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #upgrade(socket: Socket, request: string, frames: readonly unknown[]): void {
    const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1];
    const accept = createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    for (const frame of frames) socket.write(serverFrame(pack(frame)));
    this.sockets.put(socket.pause());
  }
}

/** A port where nobody accepts: the kernel answers no packet there, as if the machine were gone. */
export class SilentPort {
  readonly #child: ChildProcess;
  readonly #fill: Socket[];
  readonly url: string;

  static async open(): Promise<SilentPort> {
    const script = `const s = require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 },
      () => { console.log(s.address().port); process.kill(process.pid, "SIGSTOP"); })`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(child.stdout!, "data");
    const port = Number(line);
    // As many as the kernel keeps for whoever accepts.
    const fill = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await Promise.all(fill.map((socket) => once(socket, "connect")));
    return new SilentPort(child, fill, port);
  }

  private constructor(child: ChildProcess, fill: Socket[], port: number) {
    this.#child = child;
    this.#fill = fill;
    this.url = `ws://127.0.0.1:${port}/`;
  }

  async close(): Promise<void> {
    for (const socket of this.#fill) socket.on("error", () => {}).destroy();
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}

/** An unmasked binary WebSocket frame of at most 65,535 bytes. */
function serverFrame(payload: Buffer): Buffer {
  const header = Buffer.from([0x82, 126, 0, 0]);
  header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

/** A bare TCP connection to 127.0.0.1, and all it hears until the other end hangs up. */
export async function rawSocket(
  port: number,
  ...lines: string[]
): Promise<{ socket: Socket; heard: Promise<string> }> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const heard = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
  if (lines.length > 0) socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return { socket, heard };
}
