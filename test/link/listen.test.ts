import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { refuseStranger } from "../../shared/link/greeting.ts";
import { listen } from "../../shared/link/listen.ts";
import { CloseCode } from "../../shared/wire/frames.ts";
import { deferred } from "../support/deferred.ts";
import { activation, countingTensor, hello, welcome } from "../support/frames.ts";
import { ListenEnd, patientLink } from "../support/link-ends.ts";
import { openEnds } from "../support/open-ends.ts";
import { rawSocket } from "../support/raw-peer.ts";

const { dialEnd, listenEnd, rawPeer, rawPredecessor } = openEnds();

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

  describe("while what an answer rests on is looked up,", () => {
    const waiting = () => {
      const [asked, found] = [deferred(), deferred()];
      const beforeAnswer = () => {
        asked.resolve();
        return found.promise;
      };
      return { asked: asked.promise, found, beforeAnswer };
    };

    test("nothing is answered", async () => {
      const { asked, found, beforeAnswer } = waiting();
      const said: string[] = [];
      const answer = () => {
        said.push("answered");
        return welcome;
      };
      const end = await listenEnd({ beforeAnswer, answer });
      const greeted = rawPredecessor(end);
      await asked;
      said.push("found");
      found.resolve();
      await greeted;
      expect(said).toEqual(["found", "answered"]);
      expect(end.story).toEqual([`up ${hello.instance}`]);
    });

    const asking = async () => {
      const { asked, found, beforeAnswer } = waiting();
      const end = await listenEnd({ beforeAnswer });
      const peer = await rawPeer(end.port);
      peer.send(hello);
      await asked;
      return { end, peer, found };
    };

    test("another frame closes the link", async () => {
      const { end, peer, found } = await asking();
      peer.send(activation(0));
      const reason = "Cannot take another frame before the hello was answered";
      expect(await peer.closed).toEqual({ code: CloseCode.badFrame, reason });
      found.resolve();
      await end.turnedAway.next();
      expect(end.story).toEqual([]);
    });

    test("a peer that leaves is not taken in", async () => {
      const { end, peer, found } = await asking();
      peer.socket.terminate();
      await end.turnedAway.next();
      found.resolve();
      await rawPredecessor(end, {}, { ...hello, instance: "the next" });
      expect(end.story).toEqual(["up the next"]);
    });
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
