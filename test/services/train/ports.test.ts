import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { dashboardPorts } from "../../../services/train/dashboard.ts";
import { anyPort, reservePorts } from "../../../services/train/ports.ts";

const open: Server[] = [];

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, "127.0.0.1");
  open.push(server);
  await once(server, "listening");
  return server;
}

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

describe("reserved ports", () => {
  it("are all different, and free for whoever is given them", async () => {
    const ports = await reservePorts(Array.from({ length: 50 }, anyPort));
    expect(new Set(ports).size).toBe(50);
    await Promise.all(ports.map(listen));
  });

  it("are none that an outgoing connection may be given while whoever listens there is away", async () => {
    const ports = await reservePorts(Array.from({ length: 50 }, anyPort));
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });

  it("are different though two want the same one: who asks first has it", async () => {
    const [port] = await reservePorts([anyPort()]);
    const [first, second] = await reservePorts([
      [port!, 0],
      [port!, 0],
    ]);
    expect(first).toBe(port);
    expect(second).not.toBe(port);
  });

  it("are the next in line where the first is taken, and none where no other is wanted", async () => {
    const [taken, next] = await reservePorts([anyPort(), anyPort()]);
    await listen(taken!);
    expect(await reservePorts([[taken!, next!]])).toEqual([next]);
    await expect(reservePorts([[taken!]])).rejects.toThrow(/^Cannot reserve a port: listen EADDRINUSE/);
  });
});

describe("the ports of a dashboard", () => {
  it.each<[string, number | undefined, number[]]>([
    ["7400 and those after it", undefined, [7400, 7401, 7419, 0]],
    ["the wanted one and those after it", 9000, [9000, 9001, 9019, 0]],
    ["none that no port can be", 65_535, [65_535, 0]],
  ])("are %s, at last whichever is free", (_, wanted, some) => {
    const ports = dashboardPorts(wanted);
    expect(ports).toEqual(expect.arrayContaining(some));
    expect(ports[0]).toBe(some[0]);
    expect(ports.at(-1)).toBe(0);
    expect(ports.every((port) => port < 65_536)).toBe(true);
  });

  it("are any where any will do, and none that only root may have", () => {
    const [first, ...others] = dashboardPorts(0).slice(0, -1);
    expect(Math.min(first!, ...others)).toBeGreaterThanOrEqual(10_000);
  });
});
