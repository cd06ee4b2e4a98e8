import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Inbox } from "../raw-peer.ts";
import { seeded } from "../seeded.ts";
import { type Clock, type ProxyOptions, TcpProxy } from "./proxy.ts";

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** What a socket hears until its end, and how it ended. */
class Ear {
  readonly socket: Socket;
  readonly ended: Promise<"end" | "reset">;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      socket.emit("heard");
    });
    this.ended = new Promise((resolve) => {
      socket.on("end", () => resolve("end"));
      socket.on("error", () => resolve("reset"));
    });
  }

  get heard(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  async hears(bytes: number): Promise<Buffer> {
    while (this.#length < bytes) await once(this.socket, "heard");
    return this.heard;
  }
}

async function target(): Promise<{ port: number; accepted: Inbox<Ear>; server: Server }> {
  const accepted = new Inbox<Ear>();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    accepted.put(new Ear(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, accepted, server };
}

async function opened(options: ProxyOptions): Promise<TcpProxy> {
  const proxy = await TcpProxy.open(options);
  closing.push(() => proxy.close());
  return proxy;
}

async function dialled(proxy: TcpProxy): Promise<Ear> {
  const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
  const ear = new Ear(socket);
  await once(socket, "connect");
  closing.push(async () => socket.destroy());
  return ear;
}

/** A connection through a new proxy, both ends of it. */
async function pair(options: Partial<ProxyOptions> = {}) {
  const { port, accepted } = await target();
  const proxy = await opened({ target: port, ...options });
  const near = await dialled(proxy);
  return { proxy, near, far: await accepted.next(), accepted };
}

function noise(length: number, seed = 1): Buffer {
  const random = seeded(seed);
  return Buffer.from(Uint8Array.from({ length }, () => 256 * random()));
}

/** Stands still until told; `asked` gives each wait that begins. */
class StillClock implements Clock {
  readonly asked = new Inbox<number>();
  readonly #alarms = new Set<{ readonly at: number; readonly run: () => void }>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  later(ms: number, run: () => void): () => void {
    const alarm = { at: this.#now + ms, run };
    this.#alarms.add(alarm);
    this.asked.put(ms);
    return () => this.#alarms.delete(alarm);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const alarm of [...this.#alarms]) {
      if (alarm.at > this.#now) continue;
      this.#alarms.delete(alarm);
      alarm.run();
    }
  }
}

describe("the proxy", () => {
  it.each([
    ["an ideal network", {}],
    ["latency and jitter", { latencyMs: 2, jitterMs: 3 }],
    ["a slow wire", { bytesPerSecond: 20_000_000 }],
    ["slices", { sliceBytes: 1000 }],
  ])("passes every byte in order, both ways at once, through %s", async (_, conditions) => {
    const { near, far, proxy } = await pair({ conditions });
    const [there, back] = [noise(300_000, 1), noise(200_000, 2)];
    near.socket.end(there);
    far.socket.end(back);
    expect(await Promise.all([near.ended, far.ended])).toEqual(["end", "end"]);
    expect(far.heard.equals(there)).toBe(true);
    expect(near.heard.equals(back)).toBe(true);
    expect(proxy.passed).toEqual({ forward: 300_000, back: 200_000 });
  });

  it("passes the end of one direction while the other goes on", async () => {
    const { near, far } = await pair();
    near.socket.end("question");
    expect(await far.ended).toBe("end");
    far.socket.end("answer");
    expect(await near.ended).toBe("end");
    expect(near.heard.toString()).toBe("answer");
  });

  it("delays what is sent by the latency of its direction, and only by that", async () => {
    const clock = new StillClock();
    const { near, far, proxy } = await pair({ clock });
    proxy.impair({ latencyMs: 50 }, "forward");
    near.socket.write("slow");
    expect(await clock.asked.next()).toBe(50);
    far.socket.write("fast");
    expect((await near.hears(4)).toString()).toBe("fast");
    clock.advance(49);
    expect(proxy.passed.forward).toBe(0);
    clock.advance(1);
    expect((await far.hears(4)).toString()).toBe("slow");
  });

  it("resets both ends of every connection", async () => {
    const { near, far, proxy } = await pair();
    proxy.reset();
    expect(await Promise.all([near.ended, far.ended])).toEqual(["reset", "reset"]);
  });

  it("passes on that one end was reset", async () => {
    const { near, far } = await pair();
    near.socket.resetAndDestroy();
    expect(await far.ended).toBe("reset");
  });

  it("resets who dials a target that is not there, and takes the next one to where it is now", async () => {
    const { port, server, accepted } = await target();
    const proxy = await opened({ target: 1 });
    const first = await dialled(proxy);
    expect(await first.ended).toBe("reset");
    expect(server.listening).toBe(true);
    proxy.target = port;
    (await dialled(proxy)).socket.end("here");
    expect(await (await accepted.next()).ended).toBe("end");
    expect(proxy.accepted).toBe(2);
  });

  it("cuts a connection after exactly so many bytes, and each new one again", async () => {
    const { near, far, proxy, accepted } = await pair({ conditions: { resetAfterBytes: 70_001 } });
    const sent = noise(100_000);
    near.socket.write(sent);
    expect(await near.ended).toBe("reset");
    // A reset that comes right behind bytes is an end to libuv's readers.
    await far.ended;
    expect(far.heard.equals(sent.subarray(0, 70_001))).toBe(true);
    const again = await dialled(proxy);
    again.socket.write(sent);
    const farAgain = await accepted.next();
    await farAgain.ended;
    expect(farAgain.heard).toHaveLength(70_001);
  });

  it("holds everything in a black hole, ends included, and gives it afterwards", async () => {
    const { near, far, proxy } = await pair();
    proxy.impair({ blackHole: true }, "forward");
    near.socket.end("later");
    // The other direction is open, and proves that time has passed.
    far.socket.write("now");
    await near.hears(3);
    far.socket.write("now");
    await near.hears(6);
    expect(far.heard).toHaveLength(0);
    proxy.heal();
    expect(await far.ended).toBe("end");
    expect(far.heard.toString()).toBe("later");
  });

  it("dials nobody through a black hole until it is healed", async () => {
    const { port, accepted } = await target();
    const proxy = await opened({ target: port, conditions: { blackHole: true } });
    const near = await dialled(proxy);
    near.socket.end("hello");
    expect(accepted.kept).toHaveLength(0);
    proxy.heal();
    const far = await accepted.next();
    expect(await far.ended).toBe("end");
    expect(far.heard.toString()).toBe("hello");
  });

  it("corrupts as the seed says, and otherwise keeps length and order", async () => {
    const heardWith = async (seed: number) => {
      const { near, far } = await pair({ seed, conditions: { corruptPerByte: 0.001 } });
      near.socket.end(Buffer.alloc(50_000));
      await far.ended;
      return far.heard;
    };
    const first = await heardWith(3);
    const hit = first.filter((byte) => byte !== 0).length;
    expect(first).toHaveLength(50_000);
    expect(hit).toBeGreaterThan(20);
    expect(hit).toBeLessThan(100);
    expect((await heardWith(3)).equals(first)).toBe(true);
    expect((await heardWith(4)).equals(first)).toBe(false);
  });

  it("stops reading a sender when it holds enough, and loses nothing by it", async () => {
    const { near, far, proxy } = await pair({ mostBytes: 100_000 });
    proxy.impair({ blackHole: true }, "forward");
    const sent = noise(1 << 20);
    let rounds = 0;
    // Far more than the system buffers between two sockets: only a sender that is not read is left with some.
    while (near.socket.writableLength === 0 || rounds < 64) {
      near.socket.write(sent);
      rounds++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(near.socket.writableLength).toBeGreaterThan(0);
    near.socket.end();
    proxy.heal();
    expect(await far.ended).toBe("end");
    expect(far.heard).toHaveLength(rounds * sent.length);
  });

  it("forgets a connection when both ends are gone", async () => {
    const { near, far, proxy } = await pair();
    expect(proxy.connections).toBe(1);
    near.socket.end();
    far.socket.end();
    await Promise.all([near.ended, far.ended]);
    await expect.poll(() => proxy.connections).toBe(0);
  });
});
