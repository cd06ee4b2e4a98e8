import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const READER = fileURLToPath(new URL("read-events.py", import.meta.url));

interface ReadEvent {
  readonly wall: number;
  readonly step: number;
  readonly version?: string;
  readonly session?: number;
  readonly scalars?: Readonly<{ [tag: string]: number }>;
}

/** An event file, read by a program that shares nothing with the one that wrote it. */
export function readEvents(path: string): ReadEvent[] {
  return JSON.parse(execFileSync("python3", [READER, path], { encoding: "utf8", stdio: "pipe" }));
}

/** What TensorBoard keeps of a tag: at the start of a session steps from its own on are dropped. */
export function keptByTensorBoard(events: readonly ReadEvent[], tag: string): (readonly [number, number])[] {
  let all: (readonly [number, number])[] = [];
  for (const { step, session, scalars } of events) {
    if (session === 1) all = all.filter(([before]) => before < step);
    const value = scalars?.[tag];
    if (value !== undefined) all.push([step, value]);
  }
  return all;
}
