import { createServer, type Server } from "node:net";

const HOST = "127.0.0.1";

/**
 * That many different loopback ports, free a moment ago, and none of those that are promised to somebody who does not
 * listen yet. All are open at once before the first is closed, so that no port is given twice. Throws when one cannot
 * be had.
 */
export async function reservePorts(count: number, promised: readonly number[] = []): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  try {
    while (ports.length < count) {
      const server = await open();
      servers.push(server);
      const port = portOf(server);
      if (!promised.includes(port)) ports.push(port);
    }
    return ports;
  } finally {
    await Promise.all(servers.map(close));
  }
}

function open(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => reject(new Error(`Cannot reserve a port: ${error.message}`)));
    server.listen(0, HOST, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Cannot reserve a port: none given");
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
