import { upgradeRequest } from "../raw-frames.ts";

const upgrade = upgradeRequest.join("\r\n");
const pad = (count: number) => Array.from({ length: count }, (_, index) => `x${index}: y`).join("\r\n");

/** What is no request for a WebSocket at `/`, and what is answered; nothing where no answer is due. */
export const hostileRequests: readonly (readonly [name: string, request: string, answer: RegExp])[] = [
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
