import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { CloseCode } from "../../shared/wire/frames.ts";
import { activation, hello } from "../support/frames.ts";
import { DialEnd, ListenEnd, patientLink } from "../support/link-ends.ts";
import { RawPeer, rawSocket } from "../support/raw-peer.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listenEnd(changes: Parameters<typeof ListenEnd.open>[0] = {}): Promise<ListenEnd> {
  const end = await ListenEnd.open(changes);
  cleanups.unshift(() => end.listener.close());
  return end;
}

async function stranger(end: ListenEnd): Promise<RawPeer> {
  const peer = await RawPeer.dial(end.port);
  cleanups.unshift(async () => peer.socket.terminate());
  return peer;
}

test("a thousand fragments of one message are cut short", async () => {
  const peer = await stranger(await listenEnd());
  for (let sent = 0; sent < 1000; sent++) peer.socket.send(Buffer.alloc(1), { fin: false });
  expect((await peer.closed).code).toBe(1008);
});

test("a message in a few fragments is forgiven", async () => {
  const end = await listenEnd();
  const peer = await stranger(end);
  peer.send(hello);
  await peer.next();
  const bytes = Buffer.from("82a46b696e64a3656e64a76261746368657307", "hex");
  for (const byte of [0, 1, 2]) peer.socket.send(bytes.subarray(byte, byte + 1), { fin: false });
  peer.socket.send(bytes.subarray(3), { fin: true });
  expect(await end.frames.next()).toEqual({ kind: "end", batches: 7 });
});

test("nonsense as long as a frame may be is answered with a reason that fits", async () => {
  const peer = await stranger(await listenEnd());
  peer.send({ ...hello, kind: "é".repeat(90) });
  const { code, reason } = await peer.closed;
  expect(code).toBe(CloseCode.badFrame);
  expect(reason).toContain("Cannot read frame: kind is");
  expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
});

test("bytes that are no WebSocket frame end that connection only", async () => {
  const end = await listenEnd();
  const broken = await stranger(end);
  const raw = (broken.socket as unknown as { _socket: NodeJS.WritableStream })._socket;
  raw.write(Buffer.alloc(64, 0xff));
  expect((await broken.closed).code).toBe(1002);
  const next = await stranger(end);
  next.send(hello);
  await next.next();
});

test("headers longer than any of ours are refused", async () => {
  const end = await listenEnd();
  const { heard } = await rawSocket(end.port, "GET / HTTP/1.1", "Host: layer", `X: ${"a".repeat(10_000)}`);
  expect(await heard).toContain("431");
});

test("a peer whose upgrade was refused is not left connected, though it never hangs up", async () => {
  const end = await listenEnd();
  const { socket } = await rawSocket(
    end.port,
    "GET / HTTP/1.1",
    "Host: layer",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Origin: http://localhost",
  );
  socket.allowHalfOpen = true;
  await once(socket, "end");
  // What is written to a connection that is destroyed comes back as a reset; to one left half open, as nothing.
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const writing = setInterval(() => socket.write("more"), 5);
  await closed;
  clearInterval(writing);
});

test("connections that die at any moment of the handshake change nothing", async () => {
  const end = await listenEnd({ link: { ...patientLink, handshakeMs: 500 } });
  for (const line of ["", "GET", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n"]) {
    const { socket } = await rawSocket(end.port);
    socket.write(line, () => socket.resetAndDestroy());
    await once(socket, "close");
  }
  (await stranger(end)).socket.terminate();
  expect((await end.turnedAway.next()).code).toBe(1006);
});

test("a neighbour hears nothing of strangers who send nonsense meanwhile", async () => {
  const end = await listenEnd();
  const neighbour = new DialEnd(end.url);
  cleanups.unshift(() => neighbour.dialler.close());
  const { link } = await neighbour.ups.next();
  for (let batch = 0; batch < 50; batch++) {
    const other = await stranger(end);
    other.send({ kind: batch });
    link.send(activation(batch));
    expect(await end.frames.next()).toMatchObject({ batch });
    expect((await other.closed).code).toBe(CloseCode.badFrame);
  }
  expect(end.story).toEqual([`up ${hello.instance}`]);
});

test("our own two ends find each other again after the listener was away", async () => {
  const first = await ListenEnd.open();
  const { port } = first;
  const neighbour = new DialEnd(first.url);
  cleanups.unshift(() => neighbour.dialler.close());
  (await neighbour.ups.next()).link.send(activation(0));
  expect(structuredClone(await first.frames.next())).toEqual(activation(0));
  await first.listener.close();
  expect((await neighbour.downs.next()).why.code).toBe(CloseCode.goingAway);
  const second = await listenEnd({ port });
  (await neighbour.ups.next()).link.send(activation(1));
  expect(await second.frames.next()).toMatchObject({ batch: 1 });
  (await second.ups.next()).link.send({ kind: "gradient", batch: 1 });
  expect(await neighbour.frames.next()).toEqual({ kind: "gradient", batch: 1 });
});
