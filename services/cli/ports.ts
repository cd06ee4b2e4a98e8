import { createServer, type Server } from "node:net";

const HOST = "127.0.0.1";

/**
 * That many different loopback ports, free a moment ago. All are open at once before the first is closed, so that no
 * port is given twice. Throws when one cannot be had.
 */
export async function reservePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (let index = 0; index < count; index++) servers.push(await open());
    return servers.map(portOf);
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
