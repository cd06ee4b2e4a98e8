import type { WebSocket } from "ws";

/** Intervals without a sign of life after which the peer counts as gone. */
const MOST_SILENT = 2;

/**
 * Pings each `intervalMs`, and terminates the socket at the third tick since the peer was last heard: a pong or any
 * whole frame is a sign of life, bytes of an unfinished one are not. It counts ticks rather than time, so a process
 * that was itself stopped for a while does not blame its peer.
 */
export function keepAlive(socket: WebSocket, intervalMs: number, onSilence: () => void): void {
  let silent = 0;
  const hear = () => {
    silent = 0;
  };
  const timer = setInterval(() => {
    if (silent === MOST_SILENT) return onSilence();
    silent++;
    socket.ping();
  }, intervalMs);
  for (const sign of ["pong", "ping", "message"]) socket.on(sign, hear);
  socket.on("close", () => clearInterval(timer));
}
