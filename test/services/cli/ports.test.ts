import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { reservePorts } from "../../../services/cli/ports.ts";

describe("reserved ports", () => {
  it("are all different, and free for whoever is given them", async () => {
    const ports = await reservePorts(50);
    expect(new Set(ports).size).toBe(50);
    const servers = ports.map((port) => createServer().listen(port, "127.0.0.1"));
    await Promise.all(servers.map((server) => once(server, "listening")));
    for (const server of servers) server.close();
  });

  it("are none of those that are promised to somebody else", async () => {
    const promised = Array.from({ length: 65_536 }, (_, port) => port).filter((port) => port % 3 === 0);
    const ports = await reservePorts(50, promised);
    expect(new Set(ports).size).toBe(50);
    expect(ports.filter((port) => port % 3 === 0)).toEqual([]);
  });
});
