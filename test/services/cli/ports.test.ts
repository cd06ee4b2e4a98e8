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
});
