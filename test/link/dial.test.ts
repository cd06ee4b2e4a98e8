import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { CloseCode } from "../../shared/wire/frames.ts";
import { deferred } from "../support/deferred.ts";
import { activation, countingTensor, hello, welcome } from "../support/frames.ts";
import { patientLink } from "../support/link-ends.ts";
import { openEnds } from "../support/open-ends.ts";
import { SilentPort } from "../support/raw-peer.ts";

const { cleanups, dialEnd, rawListener, stoppedListener } = openEnds();

describe("greeting:", () => {
  test("hello answers the challenge, and a welcome brings the link up", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url);
    const peer = await listener.peers.next();
    expect(await peer.next()).toEqual(hello);
    expect(end.ups.kept).toHaveLength(0);
    peer.send(welcome);
    const { link, welcome: heard } = await end.ups.next();
    expect(heard).toEqual(welcome);
    link.send(activation(0));
    expect(await peer.next()).toMatchObject({ kind: "activation", batch: 0 });
  });

  test("a dialler that is closed while it looks whether to say hello says none", async () => {
    const listener = await rawListener();
    const [asked, found] = [deferred(), deferred()];
    const end = dialEnd(listener.url, {
      beforeHello: () => {
        asked.resolve();
        return found.promise;
      },
    });
    const peer = await listener.peers.next();
    await asked.promise;
    const closed = end.dialler.close(CloseCode.goingAway, "fenced");
    found.resolve();
    await closed;
    expect(await peer.closed).toEqual({ code: CloseCode.goingAway, reason: "fenced" });
    expect(peer.received.kept).toEqual([]);
  });

  test("any other first frame closes it", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url);
    const peer = await listener.peers.next();
    peer.send({ kind: "rewind", need: 0 });
    const closed = {
      code: CloseCode.badFrame,
      reason: "Cannot take rewind: after the challenge, the first frame back is welcome",
    };
    expect(await peer.closed).toEqual(closed);
    expect(await end.downs.next()).toEqual({ link: undefined, why: closed });
  });

  test("a peer that accepts and never welcomes is left after the handshake time", async () => {
    const listener = await rawListener();
    dialEnd(listener.url, { link: { ...patientLink, handshakeMs: 30 } });
    const peer = await listener.peers.next();
    expect(await peer.closed).toEqual({ code: 4408, reason: "no welcome within 30 ms" });
  });

  test("that time is over once a welcome was heard", async () => {
    const listener = await rawListener();
    // Long enough for a welcome on a busy machine; the second ping comes after it.
    const end = dialEnd(listener.url, { link: { ...patientLink, handshakeMs: 1000, heartbeatMs: 600 } });
    const peer = await listener.peers.next();
    peer.send(welcome);
    await once(peer.socket, "ping");
    await once(peer.socket, "ping");
    expect(end.downs.kept).toEqual([]);
  });

  test("a peer that does not even upgrade is left after the handshake time", async () => {
    const listener = await stoppedListener();
    const end = dialEnd(listener.url, { link: { ...patientLink, handshakeMs: 30 } });
    expect(await end.downs.next()).toEqual({
      link: undefined,
      why: { code: 1006, reason: "Opening handshake has timed out" },
    });
  });
});

test("a machine that answers no packet is left long before the handshake time", async () => {
  const port = await SilentPort.open();
  cleanups.unshift(() => port.close());
  const end = dialEnd(port.url, { link: { ...patientLink, handshakeMs: 600_000 } });
  expect(await end.downs.next()).toEqual({
    link: undefined,
    why: { code: 1006, reason: "no connection within 1500 ms" },
  });
});

describe("refusals:", () => {
  const refusal = { code: CloseCode.mismatch, reason: "activation is 64×128, this layer takes 64×256" };

  test("by the peer is reported with its reason, and dialling goes on", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url);
    (await listener.peers.next()).socket.close(refusal.code, refusal.reason);
    expect(await end.refusals.next()).toEqual({ ...refusal, heard: true });
    const second = await listener.peers.next();
    second.send(welcome);
    await end.ups.next();
  });

  test("of the welcome is told to the peer and to the owner", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url, { check: ({ run }) => (run === "two-rings-7" ? refusal : undefined) });
    const peer = await listener.peers.next();
    peer.send(welcome);
    expect(await peer.closed).toEqual(refusal);
    expect(await end.refusals.next()).toEqual(refusal);
    expect(end.ups.kept).toHaveLength(0);
    expect(end.downs.kept).toEqual([{ link: undefined, why: refusal }]);
  });

  test("that this end makes of a former life of the peer is none: the one in office is still to come", async () => {
    const listener = await rawListener();
    const former = { code: CloseCode.fenced, reason: "layer 3 is incarnation 1, already met 2" };
    const end = dialEnd(listener.url, { check: ({ need }) => (need === 0 ? former : undefined) });
    const peer = await listener.peers.next();
    peer.send({ ...welcome, need: 0 });
    expect(await peer.closed).toEqual(former);
    (await listener.peers.next()).send({ ...welcome, need: 7 });
    expect((await end.ups.next()).welcome.need).toBe(7);
    expect(end.refusals.kept).toEqual([]);
  });

  test("are the permanent ones only: a bad frame or a restart is not", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url);
    for (const code of [CloseCode.badFrame, CloseCode.goingAway, CloseCode.helloTimeout]) {
      (await listener.peers.next()).socket.close(code);
      expect((await end.downs.next()).why.code).toBe(code);
    }
    for (const code of [CloseCode.wrongRun, CloseCode.wrongVersion, CloseCode.fenced]) {
      (await listener.peers.next()).socket.close(code);
      expect((await end.refusals.next()).code).toBe(code);
    }
    expect(end.refusals.kept).toHaveLength(0);
  });
});

describe("frames:", () => {
  test("those of a predecessor close the link", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url);
    const peer = await listener.peers.next();
    peer.send(welcome);
    peer.send(activation(0));
    expect(await peer.closed).toEqual({
      code: CloseCode.badFrame,
      reason: "Cannot take activation: a successor sends gradient, rewind, snapshot or finished",
    });
    expect((await end.downs.next()).why.code).toBe(CloseCode.badFrame);
  });

  test("of a successor arrive, the last ones before a close included", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url);
    const peer = await listener.peers.next();
    peer.send(welcome);
    peer.send({ kind: "gradient", batch: 3, gradient: countingTensor(2, 4) });
    peer.send({ kind: "rewind", need: 1 });
    peer.send({ kind: "finished", reports: [] });
    peer.socket.close(1001, "stopping");
    for (const kind of ["gradient", "rewind", "finished"]) expect((await end.frames.next()).kind).toBe(kind);
    expect((await end.downs.next()).why).toEqual({ code: 1001, reason: "stopping", heard: true });
  });
});

describe("closing:", () => {
  test("lets out what was sent before, then tells why; nothing is sent after", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url);
    const peer = await listener.peers.next();
    peer.send(welcome);
    const { link } = await end.ups.next();
    for (let batch = 0; batch < 100; batch++) link.send(activation(batch, 64, 64));
    const gone = end.dialler.close(CloseCode.done, "finished");
    link.send(activation(100));
    expect(await peer.closed).toEqual({ code: 1000, reason: "finished" });
    expect(peer.received.kept.slice(1).map(({ batch }) => batch)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    await gone;
    expect((await end.downs.next()).link).toBe(link);
    // Sending into a link that is gone is nothing, not an error.
    link.send(activation(101));
    link.close(CloseCode.done, "again");
  });

  test("while waiting ends the dialling", async () => {
    const end = dialEnd("ws://127.0.0.1:1/", {
      link: { ...patientLink, backoffMs: { first: 1e9, most: 1e9 } },
    });
    await end.waits.next();
    await end.dialler.close();
    await end.dialler.close();
    expect(end.downs.kept).toHaveLength(1);
  });

  test("while dialling a peer that does not answer ends at once", async () => {
    const listener = await stoppedListener();
    const end = dialEnd(listener.url);
    await listener.sockets.next();
    await end.dialler.close();
    expect(end.waits.kept).toHaveLength(0);
  });
});

describe("masking:", () => {
  test.each([
    ["zero", true],
    ["random", false],
  ] as const)("%s shows the bytes as they are: %s", async (mask, isPlain) => {
    const listener = await rawListener();
    dialEnd(listener.url, { mask });
    const peer = await listener.peers.next();
    const raw = (peer.socket as unknown as { _socket: NodeJS.ReadableStream })._socket;
    const bytes: Buffer[] = [];
    // Before the WebSocket sees them, since it unmasks in place.
    raw.prependListener("data", (chunk: Buffer) => bytes.push(Buffer.from(chunk)));
    // Either way the peer reads the same frame.
    expect(await peer.next()).toEqual(hello);
    peer.send(welcome);
    expect(hasText(bytes, "configHash")).toBe(isPlain);
  });

  function hasText(chunks: readonly Buffer[], text: string): boolean {
    return Buffer.concat(chunks).includes(text);
  }
});
