import type { WebSocket } from "ws";
import { type Busy, busyMsIn, busyWord, isBusyWord } from "./busy.ts";

/** Intervals without a sign of life after which the peer counts as gone. */
const MOST_SILENT = 2;

/** A peer that speaks by itself is given that many before it is pinged: mostly it need not be. */
const UNASKED = 1;

/** Of a step that took so long the next may take longer. */
const LENIENCE = 2;

interface HeartbeatOptions {
  /** The peer speaks oftener than once an interval by itself. */
  readonly isTalkative?: boolean;
  /** How long this process is silent at times, so that the peer can be told; undefined: it never is. */
  readonly busy?: Busy | undefined;
}

/**
 * Pings each `intervalMs`, and tells of silence at the third tick since the peer was last heard: a pong or any
 * whole frame is a sign of life, bytes of an unfinished one are not. It counts ticks rather than time, so a
 * process that was itself stopped for a while does not blame its peer. A peer that computes hears no ping
 * meanwhile: its own pings say how long that takes, and it is given twice as long on top.
 */
export function keepAlive(
  socket: WebSocket,
  intervalMs: number,
  onSilence: () => void,
  { isTalkative = false, busy }: HeartbeatOptions = {},
): void {
  const unasked = isTalkative ? UNASKED : 0;
  let silent = 0;
  let most = unasked + MOST_SILENT;
  let look = busy?.look();
  let told = "";
  const hear = () => {
    silent = 0;
  };
  const lookAgain = () => {
    look = look && busy?.lookAgain(look);
  };
  const tell = (isDue: boolean) => {
    const word = busyWord(busy, intervalMs);
    if (isDue || word !== told) socket.ping(word);
    told = word;
  };
  const timer = setInterval(() => {
    lookAgain();
    if (silent >= most) return onSilence();
    silent++;
    tell(silent > unasked);
  }, intervalMs);
  for (const sign of ["pong", "ping", "message"]) socket.on(sign, hear);
  socket.on("ping", (word: Buffer) => {
    // Other words are about other things.
    if (word.length > 0 && !isBusyWord(word)) return;
    most = unasked + MOST_SILENT + Math.ceil((LENIENCE * busyMsIn(word)) / intervalMs);
  });
  socket.on("close", () => {
    // A process that computed until its peer gave up finds the connection closed before its next tick.
    lookAgain();
    clearInterval(timer);
  });
  tell(false);
}
