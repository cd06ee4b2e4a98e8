import type { Logger } from "pino";
import { type Disk, realDisk } from "../../shared/checkpoint/disk.ts";
import { Busy } from "../../shared/link/busy.ts";
import type { Credentials } from "../../shared/link/credentials.ts";
import { dial } from "../../shared/link/dial.ts";
import { listen } from "../../shared/link/listen.ts";
import { dialHub } from "../../shared/telemetry/dial-hub.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import type { HubEdge } from "./reporter.ts";

/** What a worker runs in: its network, its disk, its time, its parent, its log. The simulator puts its own in their place. */
export interface Environment {
  readonly dial: typeof dial;
  readonly listen: typeof listen;
  readonly disk: Disk;
  /** Without it a worker tells no hub, whatever its options say. */
  readonly hub?: HubEdge | undefined;
  readonly pid: number;
  /** Milliseconds of a steady clock. */
  now(): number;
  /** By the clock on the wall; for people. */
  date(): Date;
  /** The same in milliseconds since 1970, with fractions: what happens in a batch takes less than one. */
  wallMs(): number;
  /** Once, or again and again, until the function it returns is called. */
  after(ms: number, run: () => void): () => void;
  every(ms: number, run: () => void): () => void;
  /** [0, 1). */
  random(): number;
  /** The log of one life, whose number is known only once the state folder was read. `hear` gets every line of it too. */
  log(incarnation: number, hear?: (line: string) => void): Logger;
  /** To the process that started this one; resolves once that is said. */
  tell(telemetry: Telemetry): Promise<void>;
}

/** What a worker knows of its own process. */
interface OwnProcess extends Omit<HubEdge, "dial"> {
  /** Processor time so far, in microseconds. */
  readonly cpuUsage: () => { readonly user: number; readonly system: number };
}

/** Its links are those of whoever has these credentials. */
export function realEnvironment(
  credentials: Credentials,
  process: OwnProcess,
  disk: Disk = realDisk,
): Omit<Environment, "pid" | "log" | "tell"> {
  const now = () => performance.now();
  const common = { ...credentials, busy: new Busy(now, () => cpuMs(process)) };
  return {
    dial: (options) => dial({ ...options, ...common }),
    listen: (options) => listen({ ...options, ...common }),
    disk,
    hub: { ...process, dial: (options) => dialHub({ ...options, ...common }) },
    now,
    date: () => new Date(),
    wallMs: () => performance.timeOrigin + performance.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    every: (ms, run) => {
      const timer = setInterval(run, ms);
      return () => clearInterval(timer);
    },
    random: Math.random,
  };
}

function cpuMs({ cpuUsage }: OwnProcess): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}
