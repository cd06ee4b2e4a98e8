import { type Disk, realDisk } from "../../shared/checkpoint/disk.ts";
import type { Credentials } from "../../shared/link/credentials.ts";
import { dial } from "../../shared/link/dial.ts";
import { listen } from "../../shared/link/listen.ts";
import { dialHub } from "../../shared/telemetry/dial-hub.ts";
import type { HubEdge } from "./reporter.ts";

/** What a worker stands in: its network, its disk, its time. The simulator puts its own in their place. */
export interface Environment {
  readonly dial: typeof dial;
  readonly listen: typeof listen;
  readonly disk: Disk;
  /** Without it a worker tells no hub, whatever its options say. */
  readonly hub?: HubEdge | undefined;
  /** Milliseconds of a steady clock. */
  now(): number;
  /** By the clock on the wall; for people. */
  date(): Date;
  /** Once, or again and again, until the function it returns is called. */
  after(ms: number, run: () => void): () => void;
  every(ms: number, run: () => void): () => void;
}

/** Its links are those of whoever has these credentials. */
export const realEnvironment = (credentials: Credentials, process: Omit<HubEdge, "dial">): Environment => ({
  dial: (options) => dial({ ...options, ...credentials }),
  listen: (options) => listen({ ...options, ...credentials }),
  disk: realDisk,
  hub: { ...process, dial: (options) => dialHub({ ...options, ...credentials }) },
  now: () => performance.now(),
  date: () => new Date(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
});
