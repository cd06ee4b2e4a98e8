import { setTimeout as sleep } from "node:timers/promises";
import { teachHead } from "../support/head-peer.ts";
import type { DirectRun } from "../support/processes/direct-run.ts";
import { clientFrame, upgradeRequest } from "../support/raw-frames.ts";
import { rawSocket } from "../support/raw-peer.ts";

interface Crowded {
  /** How long each of them was suffered. */
  readonly lastedMs: readonly number[];
  /** From a neighbour's dialling, with all of them there, to its first batch having been taught. */
  readonly linkedMs: number;
  /** Of the crowd, when that neighbour had taught. */
  readonly leftThen: number;
}

/** So many connections at once that say nothing, or say it slowly; and a neighbour that dials half a second later. */
export async function crowd(count: number, port: number, run: DirectRun): Promise<Crowded> {
  const lastedMs: number[] = [];
  const cut = Array.from({ length: count }, async (_, index) => {
    const { socket, heard } = await rawSocket(port);
    const startedAt = performance.now();
    socket.on("error", () => {});
    const dripping = KINDS[index % KINDS.length]!(socket);
    await heard;
    clearInterval(dripping);
    lastedMs.push(performance.now() - startedAt);
  });
  await sleep(500);
  const dialledAt = performance.now();
  await teachHead(port, run, [0]);
  const linkedMs = performance.now() - dialledAt;
  const leftThen = count - lastedMs.length;
  await Promise.all(cut);
  return { lastedMs, linkedMs, leftThen };
}

/** Ways to waste a listener's time. */
const KINDS: readonly ((socket: NodeJS.WritableStream) => NodeJS.Timeout | undefined)[] = [
  () => undefined,
  (socket) => drip(socket, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "),
  (socket) => {
    socket.write(`${upgradeRequest.join("\r\n")}\r\n\r\n`);
    return undefined;
  },
  (socket) => {
    socket.write(`${upgradeRequest.join("\r\n")}\r\n\r\n`);
    return drip(socket, clientFrame(2, "", { declared: 1000 }));
  },
  (socket) => {
    socket.write(`${upgradeRequest.join("\r\n")}\r\n\r\n`);
    const ping = clientFrame(9);
    return setInterval(() => socket.write(ping), 300);
  },
];

function drip(socket: NodeJS.WritableStream, beginning: string | Buffer): NodeJS.Timeout {
  socket.write(beginning);
  return setInterval(() => socket.write("x"), 300);
}
