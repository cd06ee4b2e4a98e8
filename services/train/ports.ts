import { createServer, type Server } from "node:net";

const HOST = "127.0.0.1";

/** Ports in the order in which they are wanted. The last resort is 0, any that is free. */
export type PortWish = readonly number[];

/**
 * Below the ports that outgoing connections are given (from 32768 on Linux, from 49152 elsewhere): such a connection could
 * take a worker's port while it is away, and its next life could not start.
 */
const FOR_LISTENING = { least: 10_000, most: 32_767 };
const TRIES = 20;

/** Any of those that is free; where twenty were taken, whichever the system gives. */
export function anyPort(): PortWish {
  const { least, most } = FOR_LISTENING;
  const tries = Array.from({ length: TRIES }, () => least + Math.floor(Math.random() * (most + 1 - least)));
  return [...tries, 0];
}

/**
 * For each wish the first of its loopback ports that is free, or was a moment ago. All are open at once before the first
 * is closed, so that no port is given twice: reserve in one call what one run needs. Throws when a wish cannot be met.
 */
export async function reservePorts(wishes: readonly PortWish[]): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (const wish of wishes) servers.push(await openFirst(wish));
    return servers.map(portOf);
  } finally {
    await Promise.all(servers.map(close));
  }
}

async function openFirst(wish: PortWish): Promise<Server> {
  let why = "none is wanted";
  for (const port of wish) {
    try {
      return await open(port);
    } catch (error) {
      why = (error as Error).message;
    }
  }
  throw new Error(`Cannot reserve a port: ${why}`);
}

function open(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, HOST, () => resolve(server));
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
