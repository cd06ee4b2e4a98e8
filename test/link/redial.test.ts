import { describe, expect, test } from "vitest";
import { challenge, hello, welcome } from "../support/frames.ts";
import { patientLink } from "../support/link-ends.ts";
import { openEnds } from "../support/open-ends.ts";
import { RawListener } from "../support/raw-peer.ts";

const { dialEnd, rawListener, stoppedListener } = openEnds();

describe("reconnecting:", () => {
  test("the link comes up again when a dead listener returns on its port", async () => {
    const first = await RawListener.open();
    const end = dialEnd(first.url);
    (await first.peers.next()).send(welcome);
    const { link } = await end.ups.next();
    await first.die();
    expect((await end.downs.next()).link).toBe(link);
    // At least one attempt meets a closed port.
    expect((await end.downs.next()).why.reason).toContain("ECONNREFUSED");
    const second = await rawListener(first.port);
    (await second.peers.next()).send({ ...welcome, need: 7 });
    expect((await end.ups.next()).welcome.need).toBe(7);
  });

  test("waits grow from attempt to attempt, and start anew only after a welcome", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url, { link: { ...patientLink, backoffMs: { first: 2, most: 10 } } });
    for (const [attempt, waitMs] of [
      [1, 1],
      [2, 2],
      [3, 4],
      [4, 5],
    ]) {
      // Open, but not welcomed: that is no success.
      (await listener.peers.next()).socket.terminate();
      expect(await end.waits.next()).toEqual({ attempt, waitMs });
    }
    const peer = await listener.peers.next();
    peer.send(welcome);
    await end.ups.next();
    peer.socket.terminate();
    expect(await end.waits.next()).toEqual({ attempt: 1, waitMs: 1 });
  });

  test("a name that does not resolve is one more reason to wait", async () => {
    const end = dialEnd("ws://no-such-layer.invalid:1/");
    expect(await end.waits.next()).toMatchObject({ attempt: 1 });
    expect(await end.waits.next()).toMatchObject({ attempt: 2 });
  });

  test("hello is asked for anew each time", async () => {
    const listener = await rawListener();
    let incarnation = 0;
    dialEnd(listener.url, { hello: () => ({ ...hello, incarnation: ++incarnation }) });
    const first = await listener.peers.next();
    expect(await first.next()).toMatchObject({ incarnation: 1 });
    first.socket.terminate();
    expect(await (await listener.peers.next()).next()).toMatchObject({ incarnation: 2 });
  });
});

describe("heartbeat:", () => {
  const link = { ...patientLink, heartbeatMs: 50 };

  test("gives up on a peer whose socket stays open but who answers nothing", async () => {
    const listener = await stoppedListener([challenge, welcome]);
    const end = dialEnd(listener.url, { link });
    await end.ups.next();
    expect((await end.downs.next()).why).toEqual({
      code: 1006,
      reason: "no sign of life within two heartbeats",
    });
  });

  test("keeps a peer that only answers pings", async () => {
    const listener = await rawListener();
    const end = dialEnd(listener.url, { link });
    const peer = await listener.peers.next();
    peer.send(welcome);
    let pings = 0;
    await new Promise<void>((resolve) => peer.socket.on("ping", () => ++pings === 6 && resolve()));
    expect(end.downs.kept).toHaveLength(0);
  });
});
