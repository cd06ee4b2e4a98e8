import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** On every answer: the page loads only what the hub serves, and no other page may show it in a frame. */
export const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Why this request is refused, by whatever route; undefined if it is not. A page of another site that had its name lead
 * here (DNS rebinding) gives itself away by the Host; one that calls here by the Origin.
 */
export function refuseRequest(
  { host, origin }: IncomingHttpHeaders,
  names: readonly string[],
): string | undefined {
  const name = (host ?? "").replace(/:\d+$/, "").toLowerCase();
  if (![...LOOPBACK, ...names].includes(name)) return `the host "${name}" is not this hub's, see --host-name`;
  const own = [`http://${host}`, `https://${host}`];
  return origin === undefined || own.includes(origin) ? undefined : "the origin is another one";
}

/** Takes as long for every wrong token. */
export function isToken(authorization: string | undefined, token: string): boolean {
  const said = /^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(said), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
