import type { Page } from "../../shared/link/listen.ts";

/** Of /readyz: `lack` is what there is to wait for before this worker can work, if anything. */
export function readiness(lack: string | undefined): Page {
  return lack === undefined
    ? { status: 200, body: "ready\n" }
    : { status: 503, body: `not ready: ${lack}\n` };
}
