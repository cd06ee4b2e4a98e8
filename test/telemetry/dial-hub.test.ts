import { once } from "node:events";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { Secret } from "../../shared/link/secret.ts";
import { dialHub, type HubDialOptions, type HubLink } from "../../shared/telemetry/dial-hub.ts";
import { provenCommand, refuseIntroduction } from "../../shared/telemetry/hub-proof.ts";
import type { Introduction, ToWorker } from "../../shared/telemetry/messages.ts";

const secret = new Secret(Buffer.from("what only members of this run know"));
const introduction: Introduction = {
  kind: "introduction",
  protocol: 1,
  run: "r",
  worker: "layer2",
  incarnation: 3,
  instance: "i",
  pid: 7,
  port: 7402,
  control: true,
  config: "",
  versions: { node: "v20", kernels: "wasm" },
};
const CHALLENGE = { kind: "challenge", protocol: 1, nonce: "n" } as const;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A line of things that happen, and whoever waits for the next. */
class Happenings<T> {
  readonly #all: T[] = [];
  #wake = () => {};

  readonly add = (each: T): void => {
    this.#all.push(each);
    this.#wake();
  };

  async next(): Promise<T> {
    while (this.#all.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#all.shift()!;
  }
}

/** A hub that says what it is told to say. */
class PlainHub {
  readonly arrivals = new Happenings<Visitor>();
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket, { socket: raw }) => this.arrivals.add(new Visitor(socket, raw)));
    cleanups.push(() => this.close());
  }

  static async open(port = 0, options: ServerOptions = {}): Promise<PlainHub> {
    const server = new WebSocketServer({ host: "127.0.0.1", port, path: "/telemetry", ...options });
    await new Promise((resolve) => server.once("listening", resolve));
    return new PlainHub(server);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  close(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }
}

class Visitor {
  readonly words = new Happenings<Introduction>();
  readonly gone: Promise<number>;
  readonly socket: WebSocket;
  /** Of the chunks that its words came in. */
  readonly chunks: number[] = [];

  constructor(socket: WebSocket, raw: Duplex) {
    this.socket = socket;
    raw.prependListener("data", (chunk: Buffer) => this.chunks.push(chunk.length));
    socket.on("message", (bytes: Buffer) => this.words.add(JSON.parse(bytes.toString())));
    this.gone = new Promise((resolve) => socket.on("close", resolve));
  }

  say(message: ToWorker | object): void {
    this.socket.send(JSON.stringify(message));
  }
}

function dialling(port: number, more: Partial<HubDialOptions> = {}) {
  const ups = new Happenings<HubLink>();
  const downs = new Happenings<number>();
  const acks = new Happenings<number>();
  const commands = new Happenings<[string, string | undefined]>();
  const dialler = dialHub({
    url: `ws://127.0.0.1:${port}`,
    link: { heartbeatMs: 800, handshakeMs: 5000, backoffMs: { first: 1, most: 5 } },
    random: () => 1,
    introduction,
    onUp: ups.add,
    onAcknowledged: acks.add,
    onCommand: (command, refusal) => commands.add([command, refusal]),
    onDown: ({ code }) => downs.add(code),
    ...more,
  });
  cleanups.push(() => dialler.close());
  return { ups, downs, acks, commands, dialler };
}

describe("a worker that dials a hub", () => {
  it("introduces itself when it was challenged, and talks", async () => {
    const hub = await PlainHub.open();
    const { ups, acks } = dialling(hub.port);
    const visitor = await hub.arrivals.next();
    visitor.say(CHALLENGE);
    expect(await visitor.words.next()).toEqual(introduction);
    (await ups.next()).send({ kind: "goodbye", why: "finished" });
    expect(await visitor.words.next()).toEqual({ kind: "goodbye", why: "finished" });
    visitor.say({ kind: "ack", seq: 4 });
    expect(await acks.next()).toBe(4);
  });

  it("proves that it is of the run, and asks the same of a command", async () => {
    const hub = await PlainHub.open();
    const { ups, commands } = dialling(hub.port, { secret });
    const visitor = await hub.arrivals.next();
    visitor.say(CHALLENGE);
    const proven = await visitor.words.next();
    await ups.next();
    expect(refuseIntroduction(secret, proven, CHALLENGE.nonce)).toBeUndefined();
    visitor.say({ kind: "command", command: "crash" });
    expect(await commands.next()).toEqual(["crash", expect.stringContaining("no proof")]);
    visitor.say(provenCommand(secret, "pause", proven, CHALLENGE.nonce));
    expect(await commands.next()).toEqual(["pause", undefined]);
  });

  it("dials again when the hub is gone, and tells only of connections that were up", async () => {
    const hub = await PlainHub.open();
    const { port } = hub;
    const { ups, downs } = dialling(port);
    (await hub.arrivals.next()).say(CHALLENGE);
    await ups.next();
    hub.close();
    await downs.next();
    const again = await PlainHub.open(port);
    const visitor = await again.arrivals.next();
    visitor.say(CHALLENGE);
    expect(await visitor.words.next()).toEqual(introduction);
    await ups.next();
  });

  it.each([
    ["no JSON", "nonsense"],
    ["an unknown word", { kind: "hello" }],
    ["null", null],
    ["another protocol", { ...CHALLENGE, protocol: 2 }],
    ["an acknowledgement before the challenge", { kind: "ack", seq: 1 }],
  ])("hangs up on whoever says %s, and dials on", async (_, message) => {
    const hub = await PlainHub.open();
    dialling(hub.port);
    const visitor = await hub.arrivals.next();
    visitor.socket.send(typeof message === "string" ? message : JSON.stringify(message));
    expect(await visitor.gone).toBe(1008);
    await hub.arrivals.next();
  });

  it("says in one piece what it says in one go, and at once when it is closed", async () => {
    const hub = await PlainHub.open();
    const { ups, dialler } = dialling(hub.port);
    const visitor = await hub.arrivals.next();
    visitor.say(CHALLENGE);
    await visitor.words.next();
    const link = await ups.next();
    const before = visitor.chunks.length;
    for (let seq = 0; seq < 10; seq++) link.send({ kind: "line", seq, line: { kind: "log", text: "{}" } });
    for (let seq = 0; seq < 10; seq++) expect(await visitor.words.next()).toMatchObject({ seq });
    expect(visitor.chunks.length - before).toBe(1);
    link.send({ kind: "goodbye", why: "finished" });
    expect(link.bufferedBytes).toBeGreaterThan(0);
    dialler.close();
    expect(link.bufferedBytes).toBe(0);
    expect(await visitor.words.next()).toMatchObject({ kind: "goodbye" });
  });

  const impatient = { link: { heartbeatMs: 40, handshakeMs: 5000, backoffMs: { first: 1, most: 5 } } };

  it("keeps a hub that says nothing and answers pings", async () => {
    const hub = await PlainHub.open();
    const { ups } = dialling(hub.port, impatient);
    const visitor = await hub.arrivals.next();
    visitor.say(CHALLENGE);
    await ups.next();
    const pinged = async () => once(visitor.socket, "ping");
    for (let pings = 0; pings < 10; pings++) await pinged();
    expect(visitor.socket.readyState).toBe(visitor.socket.OPEN);
  });

  it("gives up a hub that answers nothing, and dials on", async () => {
    const hub = await PlainHub.open(0, { autoPong: false });
    const { ups, downs } = dialling(hub.port, impatient);
    (await hub.arrivals.next()).say(CHALLENGE);
    await ups.next();
    expect(await downs.next()).toBe(1006);
    await hub.arrivals.next();
  });

  it("stops dialling when it is closed", async () => {
    const hub = await PlainHub.open();
    const { ups, dialler } = dialling(hub.port);
    const visitor = await hub.arrivals.next();
    visitor.say(CHALLENGE);
    await ups.next();
    dialler.close();
    await visitor.gone;
    expect(await Promise.race([hub.arrivals.next(), new Promise((r) => setImmediate(r, "none"))])).toBe(
      "none",
    );
  });
});
