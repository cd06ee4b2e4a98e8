import { createHmac } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { refuseStranger } from "../../shared/link/greeting.ts";
import { proofOf } from "../../shared/link/proof.ts";
import { Secret } from "../../shared/link/secret.ts";
import { CloseCode, type HelloFrame } from "../../shared/wire/frames.ts";
import { activation, challenge, hello, welcome } from "../support/frames.ts";
import { DialEnd, ListenEnd } from "../support/link-ends.ts";
import { RawListener, RawPeer, rawSocket } from "../support/raw-peer.ts";
import { prove as proveBy } from "../support/secrets/prove.ts";
import { Tap } from "../support/tap.ts";

const SECRET = "what only members of this run know";

const OTHER = "what only members of another run know";

const secret = new Secret(Buffer.from(SECRET));

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function prove(greeting: HelloFrame, nonce: unknown, key = SECRET, own?: string) {
  return proveBy(greeting, nonce, key, own);
}

async function member(): Promise<ListenEnd> {
  const expected = { run: hello.run, configHash: hello.configHash, neighbour: 1, batches: 100 };
  const newest = { incarnation: 3, instance: hello.instance };
  const answer = (heard: HelloFrame) => refuseStranger({ ...expected, newest }, heard) ?? welcome;
  const end = await ListenEnd.open({ secret, answer });
  cleanups.push(() => end.listener.close());
  return end;
}

async function stranger(end: ListenEnd): Promise<RawPeer> {
  const peer = await RawPeer.dial(end.port);
  cleanups.unshift(() => peer.socket.terminate());
  return peer;
}

describe("a listener with a secret", () => {
  it("lets in whoever proves to have it, and proves it back", async () => {
    const end = await member();
    const peer = await stranger(end);
    const greeting = prove(hello, peer.challenge.nonce);
    peer.send(greeting);
    const { proof, ...rest } = await peer.next();
    expect(rest).toEqual(welcome);
    const { protocol, run, incarnation, instance, configHash } = welcome;
    const lines = ["unlocked welcome", protocol, run, 2, 1, incarnation, instance, configHash];
    const text = [...lines, peer.challenge.nonce, greeting.nonce].join("\n");
    expect(proof).toBe(createHmac("sha256", SECRET).update(text).digest("hex"));
    peer.send(activation(0));
    expect(await end.frames.next()).toMatchObject({ batch: 0 });
  });

  const wrong = "the proof in hello is wrong: another secret, or an old connection";
  it.each<[string, (nonce: unknown) => object, number, string]>([
    ["no credentials", () => hello, CloseCode.unproven, "hello has no proof, this end expects one"],
    [
      "a proof and no nonce",
      (nonce) => {
        const { nonce: _, ...rest } = prove(hello, nonce);
        return rest;
      },
      CloseCode.unproven,
      wrong,
    ],
    ["a wrong secret", (nonce) => prove(hello, nonce, "a guess at the secret"), CloseCode.unproven, wrong],
    [
      "the right secret of another run",
      (nonce) => prove({ ...hello, run: "r2" }, nonce, OTHER),
      CloseCode.unproven,
      wrong,
    ],
    [
      "this secret, in another run",
      (nonce) => prove({ ...hello, run: "r2" }, nonce),
      CloseCode.wrongRun,
      "run is r2, expected two-rings-7",
    ],
    ["a proof for an older challenge", () => prove(hello, challenge.nonce), CloseCode.unproven, wrong],
    [
      "a proof of another run",
      (nonce) => ({ ...prove({ ...hello, run: "r2" }, nonce), run: hello.run }),
      CloseCode.unproven,
      wrong,
    ],
    [
      "a proof of another layer",
      (nonce) => ({ ...prove({ ...hello, from: 0 }, nonce), from: 1 }),
      CloseCode.unproven,
      wrong,
    ],
    [
      "a proof to another layer",
      (nonce) => ({ ...prove({ ...hello, to: 3 }, nonce), to: 2 }),
      CloseCode.unproven,
      wrong,
    ],
    [
      "a proof of an older life, with a newer number",
      (nonce) => ({ ...prove(hello, nonce), incarnation: 4 }),
      CloseCode.unproven,
      wrong,
    ],
    [
      "an old incarnation",
      (nonce) => prove({ ...hello, incarnation: 2 }, nonce),
      CloseCode.fenced,
      "layer 1 is incarnation 2 of b5c1, already met 3 of b5c1",
    ],
  ])("refuses %s, whatever tensors follow", async (_, greeting, code, reason) => {
    const end = await member();
    const peer = await stranger(end);
    peer.send(greeting(peer.challenge.nonce));
    for (let batch = 0; batch < 3; batch++) peer.send(activation(batch));
    expect(await peer.closed).toEqual({ code, reason });
    expect(await end.turnedAway.next()).toEqual({ code, reason });
    expect(end.frames.kept).toEqual([]);
    expect(end.story).toEqual([]);
  });

  it("allows one attempt a connection", async () => {
    const end = await member();
    const peer = await stranger(end);
    peer.send(prove(hello, peer.challenge.nonce, "a guess at the secret"));
    peer.send(prove(hello, peer.challenge.nonce));
    expect((await peer.closed).code).toBe(CloseCode.unproven);
    expect(end.story).toEqual([]);
  });

  it("challenges every connection anew", async () => {
    const end = await member();
    const nonces = [await stranger(end), await stranger(end)].map((peer) => peer.challenge.nonce);
    expect(new Set(nonces).size).toBe(2);
    for (const nonce of nonces) expect(nonce).toMatch(/^[0-9a-f]{64}$/);
  });

  it("does not take its own proof for somebody else's", async () => {
    // Equal numbers on both ends, so that only the direction differs.
    const nonces = { listener: "1".repeat(64), dialler: "2".repeat(64) };
    const back = { ...welcome, from: hello.from, incarnation: hello.incarnation, instance: hello.instance };
    expect(proofOf(secret, back, hello.to, nonces)).not.toBe(proofOf(secret, hello, hello.to, nonces));
  });

  it("knows a recorded session for old: all of it, up to the hello, and the request alone", async () => {
    const end = await member();
    const session = await recordSession(end);
    expect(end.story).toEqual(["up b5c1", "down 1000"]);
    const [request, toHello, all] = [1, 2, session.length].map((pieces) =>
      Buffer.concat(session.slice(0, pieces)),
    );
    expect(all!.length).toBeGreaterThan(toHello!.length);
    const answers = [await replay(end, request!), await replay(end, toHello!), await replay(end, all!)];
    for (const answer of answers) {
      expect(answer).toContain("101 Switching Protocols");
      expect(answer).toContain("challenge");
      expect(answer).not.toContain("welcome");
    }
    for (const answer of answers.slice(1)) expect(answer).toContain("the proof in hello is wrong");
    expect(end.story).toHaveLength(2);
    expect(end.frames.kept).toEqual([]);
  });
});

/** All that a dialler sent which was welcomed, sent a batch and left: request, hello, the rest. */
async function recordSession(end: ListenEnd): Promise<readonly Buffer[]> {
  const tap = await Tap.open(end.port);
  cleanups.unshift(() => tap.close());
  const peer = new DialEnd(tap.url, { secret });
  const { link } = await peer.ups.next();
  link.send(activation(0));
  await end.frames.next();
  await peer.dialler.close();
  return tap.heard;
}

/** What is heard until the answer is clear, or the other end has nothing more to say. */
async function replay(end: ListenEnd, bytes: Buffer): Promise<string> {
  const { socket, heard } = await rawSocket(end.port);
  let text = "";
  socket.on("data", (answer) => {
    text += answer.toString("latin1");
    if (/proof in hello|welcome/.test(text)) socket.destroy();
    // Nothing but a hello is awaited now.
    else if (text.includes("challenge") && !bytes.includes("hello")) socket.destroy();
  });
  socket.write(bytes);
  return heard;
}

describe("a dialler with a secret", () => {
  async function dialled(answer: (greeting: HelloFrame) => object) {
    const listener = await RawListener.open();
    cleanups.push(() => listener.die());
    const end = new DialEnd(listener.url, { secret });
    cleanups.unshift(() => end.dialler.close());
    const peer = await listener.peers.next();
    peer.send(answer((await peer.next()) as unknown as HelloFrame));
    return { end, peer };
  }

  it("proves that it has it", async () => {
    let greeting: HelloFrame | undefined;
    await dialled((heard) => {
      greeting = heard;
      return welcome;
    });
    expect(greeting).toEqual(prove(hello, challenge.nonce, SECRET, greeting!.nonce));
  });

  it.each<[string, (greeting: HelloFrame) => object, string]>([
    ["proves nothing", () => welcome, "welcome has no proof, this end expects one"],
    [
      "sends the dialler's proof back",
      ({ proof }) => ({ ...welcome, proof }),
      "the proof in welcome is wrong: another secret, or an old connection",
    ],
    [
      "proves what it did to another dialler",
      ({ from }) => {
        const nonces = { listener: challenge.nonce, dialler: "3".repeat(64) };
        return { ...welcome, proof: proofOf(secret, welcome, from, nonces) };
      },
      "the proof in welcome is wrong: another secret, or an old connection",
    ],
  ])("leaves a listener that %s", async (_, answer, reason) => {
    const { end, peer } = await dialled(answer);
    expect(await peer.closed).toEqual({ code: CloseCode.unproven, reason });
    expect(await end.refusals.next()).toEqual({ code: CloseCode.unproven, reason });
    expect(end.ups.kept).toEqual([]);
  });

  it("links with a listener that has it", async () => {
    const end = await member();
    const dialler = new DialEnd(end.url, { secret });
    cleanups.unshift(() => dialler.dialler.close());
    expect((await dialler.ups.next()).welcome).toMatchObject(welcome);
  });

  it("is refused where there is none, and the predecessor there keeps its place", async () => {
    const end = await ListenEnd.open();
    cleanups.push(() => end.listener.close());
    const dialler = new DialEnd(end.url, { secret });
    cleanups.unshift(() => dialler.dialler.close());
    const reason = "hello has a proof, this end has no secret";
    expect(await dialler.refusals.next()).toEqual({ code: CloseCode.unproven, reason, heard: true });
    expect(end.story).toEqual([]);
  });
});
