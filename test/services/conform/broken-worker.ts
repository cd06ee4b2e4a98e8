import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Packr, unpack } from "msgpackr";
import { WebSocket, WebSocketServer } from "ws";

export type Fields = Record<string, unknown> & { kind: string };

/** What a worker does otherwise, seen from outside: each frame may become another, several, or none. */
export interface Mutation {
  /** From its predecessor, before the worker hears it. */
  readonly fromBefore?: (frame: Fields, proxy: BrokenWorker) => Fields[];
  /** What it says to its predecessor. */
  readonly toBefore?: (frame: Fields, proxy: BrokenWorker) => Fields[];
  readonly fromAfter?: (frame: Fields, proxy: BrokenWorker) => Fields[];
  readonly toAfter?: (frame: Fields, proxy: BrokenWorker) => Fields[];
  /** Of a close that it begins. */
  readonly code?: (code: number) => number;
}

interface Ends {
  /** The worker's, and its neighbour's. */
  readonly worker: WebSocket;
  readonly neighbour: WebSocket;
}

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** A worker between two doors through which it does what a mutation says; without one it is itself. Needs a run without a secret. */
export class BrokenWorker {
  mutation: Mutation = {};
  /** Where the worker listens, and its successor; known later than the doors. */
  workerPort = 0;
  successorPort = 0;
  readonly #servers: { readonly http: ReturnType<typeof createServer>; readonly sockets: WebSocketServer }[] =
    [];
  #before: Ends | undefined;
  #after: Ends | undefined;

  /** Where its predecessor dials, and where the worker is told that its successor is. */
  async open(): Promise<{ front: number; back: number }> {
    const front = await this.#serve((neighbour) => this.#joinBefore(neighbour));
    const back = await this.#serve((worker) => this.#joinAfter(worker));
    return { front, back };
  }

  async close(): Promise<void> {
    for (const { http, sockets } of this.#servers) {
      for (const client of sockets.clients) client.terminate();
      await new Promise((resolve) => http.close(resolve));
    }
  }

  /** Said to the worker as if its successor did. */
  answerWorker(frame: Fields): void {
    this.#after?.worker.send(packr.pack(frame));
  }

  /** Said by the worker, as if. */
  sayBefore(frame: Fields): void {
    this.#before?.neighbour.send(packr.pack(frame));
  }

  sayAfter(frame: Fields): void {
    this.#after?.neighbour.send(packr.pack(frame));
  }

  closeBefore(code: number): void {
    this.#before?.neighbour.close(code);
  }

  async #serve(met: (socket: WebSocket) => void): Promise<number> {
    const http = createServer();
    const sockets = new WebSocketServer({ server: http, perMessageDeflate: false, autoPong: false });
    sockets.on("connection", met);
    this.#servers.push({ http, sockets });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    return (http.address() as AddressInfo).port;
  }

  #joinBefore(neighbour: WebSocket): void {
    const worker = dial(this.workerPort);
    this.#before = { worker, neighbour };
    pass(neighbour, worker, (frame) => this.mutation.fromBefore?.(frame, this) ?? [frame]);
    pass(worker, neighbour, (frame) => this.mutation.toBefore?.(frame, this) ?? [frame], this.#code);
  }

  #joinAfter(worker: WebSocket): void {
    const neighbour = dial(this.successorPort);
    this.#after = { worker, neighbour };
    pass(worker, neighbour, (frame) => this.mutation.toAfter?.(frame, this) ?? [frame], this.#code);
    pass(neighbour, worker, (frame) => this.mutation.fromAfter?.(frame, this) ?? [frame]);
  }

  readonly #code = (code: number): number => this.mutation.code?.(code) ?? code;
}

function dial(port: number): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false, autoPong: false });
}

/** In order, also what comes before the other end is open; a close goes on as it came. */
function pass(
  from: WebSocket,
  to: WebSocket,
  change: (frame: Fields) => Fields[],
  code = (given: number): number => given,
): void {
  const whenOpen = (run: () => void) => {
    if (to.readyState === WebSocket.CONNECTING) to.once("open", run);
    else if (to.readyState === WebSocket.OPEN) run();
  };
  from.on("error", () => {});
  from.on("message", (bytes: Buffer, isBinary: boolean) => {
    const isFrame = isBinary && isMap(bytes);
    const frames = isFrame ? change(unpack(bytes)).map((frame) => packr.pack(frame)) : [bytes];
    for (const frame of frames) whenOpen(() => to.send(frame, { binary: isBinary }));
  });
  // Signs of life go from end to end: what is pinged has read all that was sent before.
  from.on("ping", (payload) => whenOpen(() => to.ping(payload)));
  from.on("pong", (payload) => whenOpen(() => to.pong(payload)));
  from.on("close", (given, reason) => {
    if (given === 1005 || given === 1006) to.terminate();
    else whenOpen(() => to.close(code(given), reason));
  });
}

function isMap(bytes: Buffer): boolean {
  try {
    return typeof unpack(bytes)?.kind === "string";
  } catch {
    return false;
  }
}
