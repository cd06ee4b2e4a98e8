import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { refuseStranger } from "../../shared/link/greeting.ts";
import { MOST_STRANGERS, STRANGER_BYTES } from "../../shared/link/limits.ts";
import { listen } from "../../shared/link/listen.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { CloseCode } from "../../shared/wire/frames.ts";
import { activation, countingTensor, hello, welcome } from "../support/frames.ts";
import { DialEnd, ListenEnd, patientLink } from "../support/link-ends.ts";
import { upgradeRequest } from "../support/raw-frames.ts";
import { RawPeer, rawSocket } from "../support/raw-peer.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listenEnd(changes: Parameters<typeof ListenEnd.open>[0] = {}): Promise<ListenEnd> {
  const end = await ListenEnd.open(changes);
  cleanups.push(() => end.listener.close());
  return end;
}

async function rawPeer(port: number, options: Parameters<typeof RawPeer.dial>[1] = {}): Promise<RawPeer> {
  const peer = await RawPeer.dial(port, options);
  cleanups.unshift(async () => peer.socket.terminate());
  return peer;
}

/** Past the greeting. */
async function rawPredecessor(end: ListenEnd, options = {}, greeting = hello): Promise<RawPeer> {
  const peer = await rawPeer(end.port, options);
  peer.send(greeting);
  expect(await peer.next()).toEqual(welcome);
  return peer;
}

function dialEnd(url: string, changes: ConstructorParameters<typeof DialEnd>[1] = {}): DialEnd {
  const end = new DialEnd(url, changes);
  cleanups.unshift(() => end.dialler.close());
  return end;
}

describe("greeting:", () => {
  test("a hello is answered with a welcome, and brings the link up", async () => {
    const end = await listenEnd();
    await rawPredecessor(end);
    expect((await end.ups.next()).hello).toEqual(hello);
  });

  test("a peer that says nothing is sent away after the handshake time", async () => {
    const end = await listenEnd({ link: { ...patientLink, handshakeMs: 30 } });
    const peer = await rawPeer(end.port);
    const closed = { code: CloseCode.helloTimeout, reason: "no hello within 30 ms" };
    expect(await peer.closed).toEqual(closed);
    expect(await end.turnedAway.next()).toEqual(closed);
  });

  test("the deadline is for the hello alone: a predecessor may be silent for longer", async () => {
    const end = await listenEnd({ link: { ...patientLink, handshakeMs: 30 } });
    const greeted = await rawPredecessor(end);
    // Connected later, so its deadline is later, too.
    await (await rawPeer(end.port)).closed;
    greeted.send(activation(0));
    expect(await end.frames.next()).toMatchObject({ batch: 0 });
  });

  test("any other first frame closes it, and nobody hears of a link", async () => {
    const end = await listenEnd();
    const peer = await rawPeer(end.port);
    peer.send(activation(0));
    const closed = {
      code: CloseCode.badFrame,
      reason: "Cannot take activation: the first frame is hello",
    };
    expect(await peer.closed).toEqual(closed);
    expect(await end.turnedAway.next()).toEqual(closed);
    expect(end.story).toEqual([]);
  });

  test("a refusal states both values, and reaches whoever dialled", async () => {
    const expected = {
      run: "two-rings-8",
      configHash: hello.configHash,
      neighbour: 1,
      batches: 100,
      newest: undefined,
    };
    const end = await listenEnd({ answer: (heard) => refuseStranger(expected, heard) ?? welcome });
    const refusal = { code: CloseCode.wrongRun, reason: "run is two-rings-7, expected two-rings-8" };
    expect(await dialEnd(end.url).refusals.next()).toEqual({ ...refusal, heard: true });
    expect(await end.turnedAway.next()).toEqual(refusal);
    expect(end.story).toEqual([]);
  });
});

describe("a newcomer", () => {
  const newer = { ...hello, incarnation: 4, instance: "new" };

  test("takes the place of the predecessor there was, which is down before the newcomer is up", async () => {
    const end = await listenEnd();
    const old = await rawPredecessor(end);
    await rawPredecessor(end, {}, newer);
    expect(end.story).toEqual(["up b5c1", "down 4409", "up new"]);
    const reason = "replaced by layer 1, incarnation 4, instance new";
    expect(await old.closed).toEqual({ code: CloseCode.fenced, reason });
  });

  test("is alone heard from then on, even while the old socket lingers", async () => {
    const end = await listenEnd();
    const old = await rawPredecessor(end);
    // Reads no close, so it goes on sending into a socket that is still open.
    old.socket.pause();
    const peer = await rawPredecessor(end, {}, newer);
    old.send(hello);
    old.send(activation(0));
    await new Promise((resolve) => old.socket.ping(undefined, undefined, resolve));
    peer.send(activation(1));
    expect(await end.frames.next()).toMatchObject({ batch: 1 });
    expect(end.story).toEqual(["up b5c1", "down 4409", "up new"]);
  });

  test("that is refused leaves the predecessor where it is", async () => {
    const end = await listenEnd({
      answer: ({ instance }) =>
        instance === "new" ? { code: CloseCode.fenced, reason: "too old" } : welcome,
    });
    const old = await rawPredecessor(end);
    const peer = await rawPeer(end.port);
    peer.send(newer);
    expect(await peer.closed).toEqual({ code: CloseCode.fenced, reason: "too old" });
    old.send(activation(0));
    expect(await end.frames.next()).toMatchObject({ batch: 0 });
    expect(end.story).toEqual(["up b5c1"]);
  });
});

describe("frames:", () => {
  test("a thousand at once arrive in order, in both directions", async () => {
    const end = await listenEnd();
    const dialler = dialEnd(end.url);
    const forward = (await dialler.ups.next()).link;
    const back = (await end.ups.next()).link;
    for (let batch = 0; batch < 1000; batch++) {
      forward.send(activation(batch));
      back.send({ kind: "gradient", batch, gradient: countingTensor(2, 4) });
    }
    for (let batch = 0; batch < 1000; batch++) {
      expect(await end.frames.next()).toMatchObject({ kind: "activation", batch });
      expect(await dialler.frames.next()).toMatchObject({ kind: "gradient", batch });
    }
    expect(end.frames.kept).toHaveLength(0);
  });

  test.each([
    ["text", "hello", CloseCode.badFrame, "Cannot read frame: it is text, expected binary"],
    ["garbage", Buffer.from("c1c1", "hex"), CloseCode.badFrame, "0xc1, a type that no frame has"],
    ["a frame longer than any it expects", Buffer.alloc((1 << 20) + 1), 1009, ""],
  ])("%s closes the link", async (_, bytes, code, reason) => {
    const end = await listenEnd();
    const peer = await rawPredecessor(end);
    peer.socket.send(bytes);
    const closed = await peer.closed;
    expect(closed.code).toBe(code);
    expect(closed.reason).toContain(reason);
    expect((await end.downs.next()).why.code).toBe(code);
    expect(end.frames.kept).toHaveLength(0);
  });

  test.each([
    ["a gradient", { kind: "gradient", batch: 0 }],
    ["a second hello", hello],
  ])("%s comes from no predecessor, and closes the link", async (_, frame) => {
    const end = await listenEnd();
    const peer = await rawPredecessor(end);
    peer.send(frame);
    expect(await peer.closed).toEqual({
      code: CloseCode.badFrame,
      reason: `Cannot take ${frame.kind}: a predecessor sends activation, preview, correction, question, barrier, end or release`,
    });
  });

  test("one that its owner cannot take closes the link with the owner's code, and is the last one", async () => {
    let heard = 0;
    const end = await listenEnd({
      onFrame: () => {
        heard++;
        throw new FrameError("activation is 2×4, this layer takes 2×8", CloseCode.mismatch);
      },
    });
    const peer = await rawPredecessor(end);
    for (let batch = 0; batch < 10; batch++) peer.send(activation(batch));
    const closed = { code: CloseCode.mismatch, reason: "activation is 2×4, this layer takes 2×8" };
    expect(await peer.closed).toEqual(closed);
    expect((await end.downs.next()).why).toEqual(closed);
    expect(heard).toBe(1);
  });

  test("a bug in the owner is not blamed on the peer: the process dies of it, and says so", async () => {
    const program = spawn(process.execPath, ["--import", "tsx", "test/support/listener-with-a-bug.ts"]);
    cleanups.unshift(async () => program.kill());
    const exited = once(program, "exit");
    const said = text(program.stderr);
    const [port] = await once(program.stdout, "data");
    const peer = await rawPeer(Number(port));
    peer.send(hello);
    peer.send(activation(0));
    expect((await exited)[0]).toBe(1);
    expect(await said).toContain("TypeError: a bug in the layer");
    expect((await peer.closed).code).toBe(1006);
  });
});

describe("heartbeat:", () => {
  const link = { ...patientLink, heartbeatMs: 50 };
  const silence = { code: 1006, reason: "no sign of life within two heartbeats" };

  test("notices a predecessor that goes silent, its socket open", async () => {
    const end = await listenEnd({ link });
    await rawPredecessor(end, { autoPong: false });
    expect((await end.downs.next()).why).toEqual(silence);
  });

  test("gives a peer that says that it computes twice as long on top, and believes it again when it says otherwise", async () => {
    const lostAfterMs = async (...words: string[]) => {
      const end = await listenEnd({ link: { ...link, heartbeatMs: 100 } });
      const peer = await rawPredecessor(end, { autoPong: false });
      for (const word of words) peer.socket.ping(word);
      const from = performance.now();
      expect((await end.downs.next()).why).toEqual(silence);
      return performance.now() - from;
    };
    const [computing, control] = await Promise.all([lostAfterMs("busy 300"), lostAfterMs("busy 300", "")]);
    expect(computing).toBeGreaterThan(600);
    expect(control).toBeLessThan(computing - 300);
  });

  test("counts a frame as a sign of life, and bytes of an unfinished one not", async () => {
    const end = await listenEnd({ link });
    const peer = await rawPredecessor(end, { autoPong: false });
    const raw = (peer.socket as unknown as { _socket: NodeJS.WritableStream })._socket;
    let pings = 0;
    peer.socket.on("ping", () => {
      pings++;
      if (pings <= 5) peer.send(activation(pings));
      // A frame of 1000 bytes that never ends.
      else raw.write(pings === 6 ? Buffer.from("82fe03e800000000", "hex") : Buffer.alloc(1));
    });
    expect((await end.downs.next()).why).toEqual(silence);
    // After the last whole frame come the pings of two ticks, and at the third it is over.
    expect(pings).toBeGreaterThanOrEqual(6);
    expect(pings).toBeLessThanOrEqual(8);
  });
});

describe("strangers:", () => {
  test("one too many costs the oldest its place, whatever stage it is at, and never the neighbour", async () => {
    const end = await listenEnd();
    const neighbour = await rawPredecessor(end);
    const halfRequest = await rawSocket(end.port);
    halfRequest.socket.write("GET /healthz HTTP/1.1\r\nHost:");
    const upgraded = await rawPeer(end.port);
    for (let more = 2; more < MOST_STRANGERS; more++) await rawPeer(end.port);
    expect(halfRequest.socket.destroyed).toBe(false);
    await rawPeer(end.port);
    expect(await halfRequest.heard).toBe("");
    expect(upgraded.socket.readyState).toBe(upgraded.socket.OPEN);
    await rawPeer(end.port);
    expect((await upgraded.closed).code).toBe(1006);
    expect((await end.turnedAway.next()).reason).toBe("too many strangers");
    neighbour.send(activation(0));
    expect(await end.frames.next()).toMatchObject({ batch: 0 });
    expect(end.story).toEqual(["up b5c1"]);
  });

  test("a neighbour gets in past hundreds of silent sockets", async () => {
    const end = await listenEnd();
    const silent = await Promise.all(Array.from({ length: 200 }, () => rawSocket(end.port)));
    await rawPredecessor(end);
    expect((await end.ups.next()).hello).toEqual(hello);
    for (const { socket } of silent) socket.destroy();
  });

  test("the deadline counts from the first packet: a later upgrade leaves less time for the hello", async () => {
    const end = await listenEnd({ link: { ...patientLink, handshakeMs: 300 } });
    const { socket } = await rawSocket(end.port);
    const upgradedFirst = await rawPeer(end.port);
    socket.write(`${upgradeRequest.join("\r\n")}\r\n\r\n`);
    const cut = new Promise<string>((resolve) => {
      socket.on("data", (bytes) => bytes.includes("no hello within 300 ms") && resolve("connected first"));
    });
    expect(await Promise.race([cut, upgradedFirst.closed.then(() => "upgraded first")])).toBe(
      "connected first",
    );
  });

  test("one that sends more than a hello takes is cut off before any of it is read", async () => {
    const end = await listenEnd();
    const peer = await rawPeer(end.port);
    peer.socket.send(Buffer.alloc(STRANGER_BYTES + 1));
    expect((await peer.closed).code).toBe(1006);
    const reason = `more than ${STRANGER_BYTES} bytes before the welcome`;
    expect(await end.turnedAway.next()).toEqual({ code: 1006, reason });
  });

  test("a neighbour may send as much as it likes", async () => {
    const end = await listenEnd();
    const peer = await rawPredecessor(end);
    for (let batch = 0; batch < 40; batch++) peer.send(activation(batch, 64));
    for (let batch = 0; batch < 40; batch++) expect(await end.frames.next()).toMatchObject({ batch });
  });
});

describe("opening and closing:", () => {
  test("a port that is taken is an error which says so", async () => {
    const { port } = await listenEnd();
    await expect(ListenEnd.open({ port })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: the port is taken`,
    );
  });

  test("an address that is not this machine's is an error with the reason", async () => {
    const opening = listen({ ...neverUp, host: "192.0.2.1", port: 0 });
    await expect(opening).rejects.toThrow(/^Cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL/);
  });

  test("closing lets out what was sent before, says why, and waits for every socket", async () => {
    const end = await listenEnd();
    const peer = await rawPredecessor(end);
    const stranger = await rawPeer(end.port);
    const { socket: idle, heard } = await rawSocket(end.port);
    const { link } = await end.ups.next();
    for (let batch = 0; batch < 100; batch++) {
      link.send({ kind: "gradient", batch, gradient: countingTensor(64, 64) });
    }
    const { port } = end;
    await end.listener.close(CloseCode.goingAway, "stopping");
    expect(end.story).toEqual(["up b5c1", "down 1001"]);
    expect(await peer.closed).toEqual({ code: 1001, reason: "stopping" });
    expect(peer.received.kept.map(({ batch }) => batch)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect((await stranger.closed).code).toBe(1001);
    expect(await heard).toBe("");
    idle.destroy();
    const late = connect(port, "127.0.0.1");
    expect((await once(late, "error"))[0]).toMatchObject({ code: "ECONNREFUSED" });
  });

  test("a peer that never answers the close is not waited for without end", async () => {
    const end = await listenEnd();
    const peer = await rawPredecessor(end);
    peer.socket.pause();
    await end.listener.close();
    expect(end.story).toEqual(["up b5c1", "down 1001"]);
  });
});

const neverUp = {
  link: patientLink,
  maxFrameBytes: 1024,
  answer: () => welcome,
  onUp: () => {},
  onFrame: () => {},
  onDown: () => {},
};
