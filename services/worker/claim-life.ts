import type { Logger } from "pino";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import type { WorkerName } from "../../shared/record/worker-name.ts";
import { PendingLines } from "../../shared/telemetry/pending-lines.ts";
import type { Environment } from "./environment.ts";
import { Meter } from "./meter.ts";
import type { WorkerOptions } from "./options.ts";

/** A life that has claimed its state folder: every life before it is to end. */
export interface ClaimedLife {
  readonly incarnation: number;
  readonly log: Logger;
  /** What it has done lately. */
  readonly meter: Meter;
  /** What a hub is to hear; undefined where there is none. */
  readonly pending: PendingLines | undefined;
}

export async function claimLife(
  name: WorkerName,
  { state, hub }: WorkerOptions,
  environment: Environment,
): Promise<ClaimedLife> {
  const incarnation = await claimIncarnation(state, environment.disk);
  const pending = hub && environment.hub ? new PendingLines(name, incarnation) : undefined;
  const log = environment.log(incarnation, pending && ((text) => pending.say({ kind: "log", text })));
  const meter = new Meter(environment.now(), (segment) =>
    pending?.segment({ ...segment, at: environment.date().getTime() }),
  );
  return { incarnation, log, meter, pending };
}
