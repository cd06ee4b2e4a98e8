import { get } from "node:http";

const PROBE_MS = 4_000;

/**
 * Whether anybody is at a worker's port: "nobody" where the system there says so, or there is no such machine any more;
 * "nothing" where no answer comes, as from a process that is stopped or cut off.
 */
export function probe(host: string, port: number): Promise<"nobody" | "somebody" | "nothing"> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: "/healthz", agent: false, timeout: PROBE_MS }, (response) => {
      response.resume();
      resolve("somebody");
    });
    request.on("timeout", () => request.destroy());
    request.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (GONE.has(code)) resolve("nobody");
      else resolve(SOMEBODY.has(code) ? "somebody" : "nothing");
    });
  });
}

const GONE: ReadonlySet<string | undefined> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENOTFOUND"]);
/** It hung up on us: with TLS, say. */
const SOMEBODY: ReadonlySet<string | undefined> = new Set(["ECONNRESET", "EPIPE", "HPE_INVALID_CONSTANT"]);
