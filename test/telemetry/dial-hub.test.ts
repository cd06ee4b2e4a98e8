import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { Secret } from "../../shared/link/secret.ts";
import { dialHub, type HubDialOptions, type HubLink } from "../../shared/telemetry/dial-hub.ts";
import { provenCommand, refuseIntroduction } from "../../shared/telemetry/hub-proof.ts";
import type { Introduction, ToWorker } from "../../shared/telemetry/messages.ts";
import { type TelemetryClient, TelemetryServer } from "../../shared/telemetry/telemetry-server.ts";
import { Inbox } from "../support/raw-peer.ts";

// That it dials on, waits, beats its heart and gives up is the dialler's, as of any link: test/link/dial.test.ts.

const secret = new Secret(Buffer.from("what only members of this run know"));
const introduction: Introduction = {
  kind: "introduction",
  protocol: 1,
  run: "r",
  worker: "layer2",
  incarnation: 3,
  instance: "0f5bb3b7-2f2e-4f6c-9e0e-0d8f9a6d2c11",
  pid: 7,
  port: 7402,
  control: true,
  config: "",
  versions: { node: "v20", kernels: "wasm" },
};
const CHALLENGE = { kind: "challenge", protocol: 1, nonce: "n" } as const;
const WELCOME = { kind: "ack", seq: -1 } as const;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A hub that says what it is told to say. */
class PlainHub {
  readonly arrivals = new Inbox<Visitor>();
  readonly port: number;

  private constructor(server: WebSocketServer) {
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket, { socket: raw }) => this.arrivals.put(new Visitor(socket, raw)));
    cleanups.push(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
  }

  static async open(): Promise<PlainHub> {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, path: "/telemetry" });
    await new Promise((resolve) => server.once("listening", resolve));
    return new PlainHub(server);
  }
}

class Visitor {
  readonly words = new Inbox<Introduction>();
  readonly gone: Promise<number>;
  readonly socket: WebSocket;
  /** Of the chunks that its words came in. */
  readonly chunks: number[] = [];

  constructor(socket: WebSocket, raw: Duplex) {
    this.socket = socket;
    raw.prependListener("data", (chunk: Buffer) => this.chunks.push(chunk.length));
    socket.on("message", (bytes: Buffer) => this.words.put(JSON.parse(bytes.toString())));
    this.gone = new Promise((resolve) => socket.on("close", resolve));
  }

  say(...messages: (ToWorker | object)[]): void {
    for (const message of messages) this.socket.send(JSON.stringify(message));
  }
}

function dialling(port: number, more: Partial<HubDialOptions> = {}) {
  const ups = new Inbox<HubLink>();
  const downs = new Inbox<number>();
  const acks = new Inbox<number>();
  const commands = new Inbox<[string, string | undefined]>();
  const dialler = dialHub({
    url: `ws://127.0.0.1:${port}`,
    link: { heartbeatMs: 800, handshakeMs: 5000, backoffMs: { first: 1, most: 5 } },
    random: () => 1,
    introduction,
    onUp: (link) => ups.put(link),
    onAcknowledged: (seq) => acks.put(seq),
    onCommand: (command, refusal) => commands.put([command, refusal]),
    onDown: ({ code }) => downs.put(code),
    ...more,
  });
  cleanups.push(() => dialler.close());
  return { ups, downs, acks, commands, dialler };
}

describe("a worker that dials a hub", () => {
  it("introduces itself when it was challenged, and talks when it is welcome", async () => {
    const hub = await PlainHub.open();
    const { ups, acks } = dialling(hub.port);
    const visitor = await hub.arrivals.next();
    visitor.say(CHALLENGE);
    expect(await visitor.words.next()).toEqual(introduction);
    expect(ups.kept).toEqual([]);
    visitor.say(WELCOME);
    (await ups.next()).send({ kind: "goodbye", why: "finished" });
    expect(await visitor.words.next()).toEqual({ kind: "goodbye", why: "finished" });
    visitor.say({ kind: "ack", seq: 4 });
    expect([await acks.next(), await acks.next()]).toEqual([-1, 4]);
  });

  it("proves that it is of the run, and asks the same of a command", async () => {
    const hub = await PlainHub.open();
    const { ups, commands } = dialling(hub.port, { secret });
    const visitor = await hub.arrivals.next();
    visitor.say(CHALLENGE, WELCOME);
    const proven = await visitor.words.next();
    await ups.next();
    expect(refuseIntroduction(secret, proven, CHALLENGE.nonce)).toBeUndefined();
    visitor.say({ kind: "command", command: "kill" });
    expect(await commands.next()).toEqual(["kill", expect.stringContaining("no proof")]);
    visitor.say(provenCommand(secret, "pause", proven, CHALLENGE.nonce));
    expect(await commands.next()).toEqual(["pause", undefined]);
  });

  it.each([
    ["no JSON", ["nonsense"]],
    ["an unknown word", [{ kind: "hello" }]],
    ["null", [null]],
    ["another protocol", [{ ...CHALLENGE, protocol: 2 }]],
    ["an acknowledgement before the challenge", [{ kind: "ack", seq: 1 }]],
    ["a command for a welcome", [CHALLENGE, { kind: "command", command: "stop" }]],
    ["a second challenge", [CHALLENGE, WELCOME, CHALLENGE]],
  ])("hangs up on whoever says %s, and dials on", async (_, words) => {
    const hub = await PlainHub.open();
    const { commands } = dialling(hub.port);
    const visitor = await hub.arrivals.next();
    for (const word of words) visitor.socket.send(typeof word === "string" ? word : JSON.stringify(word));
    expect(await visitor.gone).toBe(1008);
    await hub.arrivals.next();
    expect(commands.kept).toEqual([]);
  });

  it("says in one piece what it says in one go, and at once when it is closed", async () => {
    const hub = await PlainHub.open();
    const { ups, dialler } = dialling(hub.port);
    const visitor = await hub.arrivals.next();
    visitor.say(CHALLENGE, WELCOME);
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

  it("is met by our own hub, sent away and met again, and tells only of connections that were up", async () => {
    const met = new Inbox<TelemetryClient>();
    const left = new Inbox<string>();
    const lines = new Inbox<number>();
    const door = new TelemetryServer({
      secret,
      handshakeMs: 5000,
      refuse: () => undefined,
      introduced: (visitor) => {
        visitor.acknowledge(-1);
        met.put(visitor);
      },
      stood: () => undefined,
      answered: () => undefined,
      seen: () => undefined,
      said: (_, { seq }) => lines.put(seq),
      goodbye: () => undefined,
      left: (_, why) => left.put(why),
      turnedAway: () => undefined,
    });
    const http = createServer().on("upgrade", (request, socket, head) => door.upgrade(request, socket, head));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    cleanups.push(
      () => http.close(),
      () => door.terminate(),
    );
    const { ups, downs, commands, dialler } = dialling((http.address() as AddressInfo).port, { secret });
    (await ups.next()).send({ kind: "line", seq: 0, line: { kind: "log", text: "{}" } });
    expect(await lines.next()).toBe(0);
    const visitor = await met.next();
    visitor.command("pause");
    expect(await commands.next()).toEqual(["pause", undefined]);
    visitor.sendAway("say it again");
    expect([await downs.next(), await left.next()]).toEqual([1013, "sent away"]);
    await ups.next();
    dialler.close();
    expect(await left.next()).toBe("broke");
  });
});
