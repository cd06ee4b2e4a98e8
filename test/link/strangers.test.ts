import { describe, expect, test } from "vitest";
import { MOST_STRANGERS, STRANGER_BYTES } from "../../shared/link/limits.ts";
import { activation, hello } from "../support/frames.ts";
import { patientLink } from "../support/link-ends.ts";
import { openEnds } from "../support/open-ends.ts";
import { upgradeRequest } from "../support/raw-frames.ts";
import { rawSocket } from "../support/raw-peer.ts";

const { listenEnd, rawPeer, rawPredecessor } = openEnds();

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
