import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { processorSeconds } from "../harness/processes.ts";

/** Whoever looks at a hub, or keeps it from being looked at, until it is closed. */
export interface Onlookers {
  /** What they cost the machine themselves so far. */
  readonly processorSeconds: number;
  /** Of the process that they are, where they are one. */
  readonly pid?: number;
  /** The hub stands still until it is closed. */
  readonly stopsHub?: boolean;
  close(): void;
}

export const nobody: Onlookers = { processorSeconds: 0, close: () => undefined };

/** A browser that asks for the stream and never reads a byte of it. */
export async function deafBrowser(port: number): Promise<Onlookers> {
  const socket = createConnection({ host: "127.0.0.1", port });
  // Before it is connected: else Node reads ahead.
  socket.pause();
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(`GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  return { processorSeconds: 0, close: () => socket.destroy() };
}

/** So many that read, in one process of their own. */
export function browsers(port: number, count: number): Promise<Onlookers> {
  return ofProgram("readers", port, count);
}

/** One that asks the network so many questions a second. */
export function asker(port: number, perSecond: number): Promise<Onlookers> {
  return ofProgram("askers", port, perSecond);
}

async function ofProgram(name: "readers" | "askers", port: number, count: number): Promise<Onlookers> {
  const program = ["--import", "tsx", `bench/watch/${name}.ts`, String(port), String(count)];
  const child: ChildProcess = spawn(process.execPath, program, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const pid = child.pid!;
  const ended = once(child, "close").then(() => Promise.reject(new Error(`the ${name} ended`)));
  ended.catch(() => undefined);
  await Promise.race([once(child, "message"), ended]);
  return {
    pid,
    get processorSeconds() {
      return processorSeconds(pid);
    },
    close: () => child.kill("SIGKILL"),
  };
}

export function stoppedHub(hub: ChildProcess): Onlookers {
  hub.kill("SIGSTOP");
  return { processorSeconds: 0, stopsHub: true, close: () => hub.kill("SIGCONT") };
}
