import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { encode } from "../../shared/wire/codec.ts";
import { activation, hello } from "../support/frames.ts";
import { ListenEnd, patientLink } from "../support/link-ends.ts";
import { clientFrame, closeCodeIn, upgradeRequest } from "../support/raw-frames.ts";
import { rawSocket } from "../support/raw-peer.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listenEnd(changes: Parameters<typeof ListenEnd.open>[0] = {}): Promise<ListenEnd> {
  const end = await ListenEnd.open(changes);
  cleanups.push(() => end.listener.close());
  return end;
}

const [TEXT, BINARY, CLOSE, PING, PONG, CONTINUED] = [1, 2, 8, 9, 10, 0];
const whole = encode(activation(0));
const unfinished = clientFrame(BINARY, whole.subarray(0, 9), { fin: false });
const many = (frame: Buffer, times: number) => Buffer.concat(Array(times).fill(frame));
const badCloseCode = (code: number) => clientFrame(CLOSE, Buffer.from([code >> 8, code & 255]));

/** What no WebSocket peer may write, and the code it hears for it. */
const corpus: readonly (readonly [string, Buffer, number])[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (rsv) => [`reserved bits ${rsv}`, clientFrame(BINARY, whole, { rsv }), 1002] as const,
  ),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode) => [`opcode ${opcode}`, clientFrame(opcode, "x"), 1002] as const,
  ),
  ["a frame without a mask", clientFrame(BINARY, whole, { masked: false }), 1002],
  ["an unmasked ping", clientFrame(PING, "", { masked: false }), 1002],
  ["a fragmented ping", clientFrame(PING, "", { fin: false }), 1002],
  ["a fragmented close", clientFrame(CLOSE, "", { fin: false }), 1002],
  ["a ping of 126 bytes", clientFrame(PING, "x".repeat(126)), 1002],
  ["a pong of 64 KB", clientFrame(PONG, "x".repeat(65_536)), 1002],
  ["a close of 126 bytes", clientFrame(CLOSE, "x".repeat(126)), 1002],
  ["a close of one byte", clientFrame(CLOSE, "x"), 1002],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(
    (code) => [`close code ${code}`, badCloseCode(code), 1002] as const,
  ),
  ["a close whose reason is not UTF-8", clientFrame(CLOSE, Buffer.from("03e8ff", "hex")), 1007],
  ["text that is not UTF-8", clientFrame(TEXT, Buffer.from("c328", "hex")), 1007],
  ["text", clientFrame(TEXT, "hello"), 4400],
  ["a continuation of nothing", clientFrame(CONTINUED, whole), 1002],
  ["a message within a message", Buffer.concat([unfinished, clientFrame(BINARY, whole)]), 1002],
  ["text within a message", Buffer.concat([unfinished, clientFrame(TEXT, "x")]), 1002],
  ["a length beyond 2^53", clientFrame(BINARY, "", { declared: 2n ** 63n, form: 64 }), 1009],
  ["a length of 4 GB", clientFrame(BINARY, "", { declared: 2n ** 32n, form: 64 }), 1009],
  ["one byte more than a frame may have", clientFrame(BINARY, "", { declared: (1 << 20) + 1 }), 1009],
  [
    "fragments that add up to more",
    Buffer.concat([unfinished, clientFrame(CONTINUED, "", { declared: 1 << 20, fin: false })]),
    1009,
  ],
  [
    "100,000 tiny fragments",
    Buffer.concat([unfinished, many(clientFrame(CONTINUED, "x", { fin: false }), 100_000)]),
    1008,
  ],
  [
    "100,000 empty fragments",
    Buffer.concat([unfinished, many(clientFrame(CONTINUED, "", { fin: false }), 100_000)]),
    1008,
  ],
  ["nothing, as a message", clientFrame(BINARY, ""), 4400],
  ["two frames as one message", clientFrame(BINARY, Buffer.concat([whole, whole])), 4400],
];

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
  test.each(corpus)("%s is closed, and nothing of it is taken", async (_, bytes, code) => {
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
  const upgrade = upgradeRequest.join("\r\n");
  const pad = (count: number) => Array.from({ length: count }, (_, index) => `x${index}: y`).join("\r\n");
  /** What is no request for a WebSocket at `/`, and what is answered; nothing where no answer is due. */
  const requests: readonly (readonly [string, string, RegExp])[] = [
    ["for a page", "GET / HTTP/1.1\r\nHost: x", /^HTTP\/1.1 426 /],
    ["with 100 KB of headers", `${upgrade}\r\nx: ${"a".repeat(100_000)}`, /^(HTTP\/1.1 431 .*)?$/s],
    ["with a thousand headers", `${upgrade}\r\n${pad(1000)}`, /^HTTP\/1.1 (101|4\d\d) /],
    // Node leaves out what is beyond its 2,000, and an older ws ended the process over what it missed.
    [
      "with 3,000 headers before those that count",
      upgrade.replace("\r\n", `\r\n${"a:\r\n".repeat(3000)}`),
      /^HTTP\/1.1 4\d\d /,
    ],
    ["with a key too short", upgrade.replace("AAAAAAAA", ""), /^HTTP\/1.1 400 /],
    ["with a key that is no base64", upgrade.replace("AAAA", "!!!!"), /^HTTP\/1.1 400 /],
    ["with no key", upgrade.replace(/\r\nSec-WebSocket-Key.*/, ""), /^HTTP\/1.1 400 /],
    ["for version 7", upgrade.replace("Version: 13", "Version: 7"), /^HTTP\/1.1 (400|426) /],
    ["for another protocol", upgrade.replace("Upgrade: websocket", "Upgrade: h2c"), /^HTTP\/1.1 4\d\d /],
    ["by POST", upgrade.replace("GET", "POST"), /^HTTP\/1.1 405 /],
    ["at a path with dots", upgrade.replace("GET /", "GET /../"), /^HTTP\/1.1 404 /],
    ["at an address of its own", upgrade.replace("GET /", "GET http://elsewhere/"), /^HTTP\/1.1 404 /],
    ["without a host", upgrade.replace("\r\nHost: x", ""), /^HTTP\/1.1 (400|101) /],
    ["in no language", "\u0000\u0001\u0002\u00ff", /^HTTP\/1.1 400 /],
    ["for TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000", /^HTTP\/1.1 400 /],
    ["for HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM", /^(HTTP\/1.1 400 .*)?$/s],
    [
      "with two lengths",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4",
      /^HTTP\/1.1 400 /,
    ],
    [
      "with a length and chunks",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
      /^HTTP\/1.1 400 /,
    ],
    ["with a line folded in two", `${upgrade}\r\nx: a\r\n b`, /^HTTP\/1.1 (400|101) /],
    ["by CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x", /^$/],
    [
      "expecting to go on",
      "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9",
      /^HTTP\/1.1 (100|404|426) /,
    ],
    ["with a page's origin", `${upgrade}\r\nOrigin: null`, /^HTTP\/1.1 403 /],
  ];

  test.each(requests)("%s is answered so, and the next one links", async (_, request, answer) => {
    const end = await listenEnd({ link: { ...patientLink, handshakeMs: 2000 } });
    const { socket, heard } = await rawSocket(end.port);
    socket.on("data", () => socket.end());
    socket.write(Buffer.from(`${request}\r\n\r\n`, "latin1"));
    expect(await heard).toMatch(answer);
    expect(end.story).toEqual([]);
    await answerTo(end, clientFrame(CLOSE, Buffer.from("03e8", "hex")));
  });
});
