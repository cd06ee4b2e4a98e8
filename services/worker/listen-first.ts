import type { Config } from "../../shared/config/config.ts";
import type { Link, Refusal, Traffic, Why } from "../../shared/link/link.ts";
import type { Listener } from "../../shared/link/listen.ts";
import {
  CloseCode,
  type ForwardFrame,
  type HelloFrame,
  type WelcomeFrame,
} from "../../shared/wire/frames.ts";
import type { Environment } from "./environment.ts";
import type { WorkerFigures } from "./metrics.ts";
import type { WorkerOptions } from "./options.ts";
import { readiness } from "./readiness.ts";

/** What a worker is started with. */
export interface Start<O extends WorkerOptions = WorkerOptions, E extends Environment = Environment> {
  readonly config: Config;
  readonly options: O;
  readonly environment: E;
}

/** The worker's port, and the bytes of all its links. */
export interface OpenPort {
  readonly listener: Listener;
  readonly traffic: Traffic;
}

/** What a port is there for: probes, and the worker that comes before this one. */
export interface PortOwner {
  /** What there is to wait for before it can work; undefined if nothing. */
  readonly lack: string | undefined;
  readonly figures: WorkerFigures;
  /** Awaited before each answer. */
  beforeAnswer?(): Promise<void>;
  answer(hello: HelloFrame): WelcomeFrame | Refusal;
  predecessorUp?(link: Link, hello: HelloFrame): void;
  fromPredecessor?(frame: ForwardFrame): void;
  predecessorDown?(link: Link, why: Why): void;
  turnedAway?(why: Why): void;
}

/**
 * Listens, then begins. The port comes first: a process that cannot have it must not end the one that lives in the state
 * folder by claiming that. Rejects, and listens no more, if it cannot begin.
 */
export async function listenFirst<Owner extends PortOwner>(
  { config, options, environment }: Start,
  maxFrameBytes: number,
  begin: (port: OpenPort) => Promise<Owner>,
): Promise<Owner> {
  let owner: Owner | undefined;
  const traffic = { sent: 0, received: 0 };
  const listener = await environment.listen({
    host: options.host,
    port: options.port,
    link: config.link,
    maxFrameBytes,
    traffic,
    routes: {
      "/healthz": () => ({ status: 200, body: "ok\n" }),
      "/readyz": () => readiness(owner ? owner.lack : "starting"),
      "/metrics": async () => (await import("./metrics.ts")).workerMetrics(owner?.figures),
    },
    beforeAnswer: async () => owner?.beforeAnswer?.(),
    answer: (hello) => (owner ? owner.answer(hello) : { code: CloseCode.goingAway, reason: "starting" }),
    // No peer gets a welcome before there is an owner.
    onUp: (link, hello) => owner!.predecessorUp?.(link, hello),
    onFrame: (frame) => owner!.fromPredecessor?.(frame),
    onDown: (link, why) => owner!.predecessorDown?.(link, why),
    onTurnedAway: (why) => owner?.turnedAway?.(why),
  });
  try {
    owner = await begin({ listener, traffic });
    return owner;
  } catch (error) {
    void listener.close();
    throw error;
  }
}
