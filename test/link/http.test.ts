import { afterEach, describe, expect, test } from "vitest";
import { ListenEnd, patientLink } from "../support/link-ends.ts";
import { upgradeRequest } from "../support/raw-frames.ts";
import { rawSocket } from "../support/raw-peer.ts";

const ends: ListenEnd[] = [];
afterEach(async () => {
  for (const { listener } of ends.splice(0)) await listener.close();
});

async function listenEnd(changes: Parameters<typeof ListenEnd.open>[0] = {}): Promise<ListenEnd> {
  const end = await ListenEnd.open(changes);
  ends.push(end);
  return end;
}

describe("HTTP:", () => {
  const routes = { "/healthz": () => ({ status: 200, body: '{"ok":true}', type: "application/json" }) };

  test("a route answers a GET beside the link", async () => {
    const end = await listenEnd({ routes });
    const response = await fetch(`http://127.0.0.1:${end.port}/healthz`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ ok: true });
  });

  test.each([
    ["/", {}, 426],
    ["/nothing", {}, 404],
    ["/constructor", {}, 404],
    ["/healthz", { method: "POST" }, 404],
    ["/healthz", { headers: { origin: "http://a.page" } }, 403],
  ])("%s with %o is answered %i", async (path, init, status) => {
    const end = await listenEnd({ routes });
    expect((await fetch(`http://127.0.0.1:${end.port}${path}`, init)).status).toBe(status);
  });

  test("an upgrade from a page is forbidden, whichever page; one to another path is not found", async () => {
    const end = await listenEnd();
    const upgrade = (line: string, ...more: string[]) =>
      rawSocket(end.port, line, ...upgradeRequest.slice(1), ...more).then(({ heard }) => heard);
    expect(await upgrade("GET / HTTP/1.1", "Origin: http://a.page")).toMatch(/^HTTP\/1.1 403 /);
    expect(await upgrade("GET / HTTP/1.1", `Origin: http://127.0.0.1:${end.port}`)).toMatch(
      /^HTTP\/1.1 403 /,
    );
    expect(await upgrade("GET /other HTTP/1.1")).toMatch(/^HTTP\/1.1 404 /);
    expect(end.story).toEqual([]);
  });

  test("half a request is not waited for longer than the handshake time", async () => {
    const end = await listenEnd({ link: { ...patientLink, handshakeMs: 30 } });
    const { socket, heard } = await rawSocket(end.port);
    socket.write("GET /healthz HTTP/1.1\r\nHost:");
    expect(await heard).toMatch(/^HTTP\/1.1 408 /);
  });

  test("an answer ends its connection: nobody keeps a place by asking again", async () => {
    const end = await listenEnd({ routes });
    const { heard } = await rawSocket(end.port, "GET /healthz HTTP/1.1", "Host: x");
    expect(await heard).toMatch(/^HTTP\/1.1 200 .*\r\nconnection: close\r\n/is);
  });
});
