import type { WebSocket } from "ws";

/** Intervals without a sign of life after which the peer counts as gone. */
const MOST_SILENT = 2;

/** A peer that speaks by itself is given that many before it is pinged: mostly it need not be. */
const UNASKED = 1;

/**
 * Pings each `intervalMs`, and tells of silence at the third tick since the peer was last heard: a pong or any
 * whole frame is a sign of life, bytes of an unfinished one are not. It counts ticks rather than time, so a process
 * that was itself stopped for a while does not blame its peer. `isTalkative`: the peer speaks oftener than that by itself.
 */
export function keepAlive(
  socket: WebSocket,
  intervalMs: number,
  onSilence: () => void,
  { isTalkative = false } = {},
): void {
  const unasked = isTalkative ? UNASKED : 0;
  let silent = 0;
  const hear = () => {
    silent = 0;
  };
  const timer = setInterval(() => {
    if (silent === unasked + MOST_SILENT) return onSilence();
    silent++;
    if (silent > unasked) socket.ping();
  }, intervalMs);
  for (const sign of ["pong", "ping", "message"]) socket.on(sign, hear);
  socket.on("close", () => clearInterval(timer));
}
