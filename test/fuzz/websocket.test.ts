import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { encode } from "../../shared/wire/codec.ts";
import { activation, hello } from "../support/frames.ts";
import { hostileRequests } from "../support/hostile/hostile-requests.ts";
import { hostileWebSocket, many, unfinished, whole } from "../support/hostile/hostile-websocket.ts";
import { type ListenEnd, patientLink } from "../support/link-ends.ts";
import { openEnds } from "../support/open-ends.ts";
import { clientFrame, closeCodeIn, upgradeRequest } from "../support/raw-frames.ts";
import { rawSocket } from "../support/raw-peer.ts";

const { cleanups, listenEnd } = openEnds();

const [BINARY, CLOSE, PING, CONTINUED] = [2, 8, 9, 0];

/** All that a server says to these bytes after the greeting, until it hangs up. */
async function answerTo(end: ListenEnd, bytes: Buffer, greeting = hello): Promise<Buffer> {
  const { socket } = await rawSocket(end.port, ...upgradeRequest);
  cleanups.unshift(() => socket.destroy());
  await once(socket, "data");
  const heard: Buffer[] = [Buffer.from("\r\n\r\n")];
  socket.write(clientFrame(BINARY, encode(greeting)));
  await end.ups.next();
  socket.on("data", (answer) => {
    heard.push(answer);
    // As a peer that does as it should, so that nobody waits for it.
    if (closeCodeIn(Buffer.concat(heard)) !== undefined) socket.end();
  });
  const gone = new Promise((resolve) => socket.once("close", resolve));
  socket.write(bytes);
  await gone;
  return Buffer.concat(heard);
}

describe("a predecessor that writes", () => {
  test.each(hostileWebSocket)("%s is closed, and nothing of it is taken", async (_, bytes, code) => {
    const end = await listenEnd();
    expect(closeCodeIn(await answerTo(end, bytes))).toBe(code);
    expect(end.frames.kept).toEqual([]);
    expect((await end.downs.next()).why.code).toBeGreaterThanOrEqual(1002);
    await answerTo(end, clientFrame(CLOSE, Buffer.from("03e8", "hex")), { ...hello, incarnation: 4 });
  });

  test("frames as it should, in the long form of a length or one fragment, is heard: the control", async () => {
    const end = await listenEnd();
    const pieces = [
      clientFrame(BINARY, encode(activation(1)), { form: 64 }),
      unfinished,
      clientFrame(PING, "between"),
      clientFrame(CONTINUED, whole.subarray(9)),
      clientFrame(CLOSE, Buffer.from("03e8", "hex")),
    ];
    expect(closeCodeIn(await answerTo(end, Buffer.concat(pieces)))).toBe(1000);
    expect([(await end.frames.next()).kind, (await end.frames.next()).kind]).toEqual([
      "activation",
      "activation",
    ]);
  });

  test("pings without end and reads no pong is cut off, and its neighbours hear nothing of it", async () => {
    const end = await listenEnd({ link: { ...patientLink, heartbeatMs: 100 } });
    const { socket } = await rawSocket(end.port, ...upgradeRequest);
    cleanups.unshift(() => socket.destroy());
    await once(socket, "data");
    socket.write(clientFrame(BINARY, encode(hello)));
    await end.ups.next();
    socket.pause();
    const pings = many(clientFrame(PING, "x".repeat(125)), 5_000);
    let isOver = false;
    void end.downs.next().then(() => {
      isOver = true;
    });
    while (!isOver) await new Promise((resolve) => socket.write(pings, resolve));
    await answerTo(end, clientFrame(CLOSE, Buffer.from("03e8", "hex")), { ...hello, incarnation: 4 });
  });
});

describe("a stranger that asks", () => {
  test.each(hostileRequests)("%s is answered so, and the next one links", async (_, request, answer) => {
    const end = await listenEnd({ link: { ...patientLink, handshakeMs: 2000 } });
    const { socket, heard } = await rawSocket(end.port);
    socket.on("data", () => socket.end());
    socket.write(Buffer.from(`${request}\r\n\r\n`, "latin1"));
    expect(await heard).toMatch(answer);
    expect(end.story).toEqual([]);
    await answerTo(end, clientFrame(CLOSE, Buffer.from("03e8", "hex")));
  });
});
