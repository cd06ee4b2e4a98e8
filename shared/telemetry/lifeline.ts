import type { StopRequest, Telemetry } from "./telemetry.ts";

/** The part of `process` that ties a worker to the process that started it. */
export interface WorkerHost {
  readonly connected?: boolean;
  readonly send?: ((message: Telemetry, sent: (error: Error | null) => void) => unknown) | undefined;
  on(event: "SIGTERM" | "SIGINT" | "disconnect", heard: () => void): unknown;
  on(event: "message", heard: (message: unknown) => void): unknown;
}

interface Lifeline {
  /** At most once, and lost if the parent does not listen. Resolves when it has left this process. */
  tell(telemetry: Telemetry): Promise<void>;
}

/**
 * Asks `stop` to end the worker when its parent says so, is gone (no worker is left as an orphan), or a signal comes. A terminal sends SIGINT to the parent as well, whose word is waited for. A second SIGTERM ends it at once, by `abort`.
 */
export function attachLifeline(host: WorkerHost, stop: (why: string) => void, abort: () => void): Lifeline {
  const hasParent = host.send !== undefined;
  let asked = false;
  const ask = (why: string) => {
    if (!asked) stop(why);
    asked = true;
  };
  host.on("SIGTERM", () => (asked ? abort() : ask("SIGTERM")));
  host.on("SIGINT", () => {
    if (!hasParent) ask("SIGINT");
  });
  if (hasParent) {
    host.on("disconnect", () => ask("the parent is gone"));
    host.on("message", (message) => {
      if (isStop(message)) ask("asked by the parent");
    });
    // It may have gone before anybody listened: a program takes a while to load, on a busy machine seconds.
    if (host.connected === false) ask("the parent is gone");
  }
  return { tell: (telemetry) => tell(host, telemetry) };
}

function tell(host: WorkerHost, telemetry: Telemetry): Promise<void> {
  return new Promise((resolve) => {
    if (!host.send || host.connected === false) resolve();
    else host.send(telemetry, () => resolve());
  });
}

function isStop(message: unknown): message is StopRequest {
  return typeof message === "object" && message !== null && "kind" in message && message.kind === "stop";
}
