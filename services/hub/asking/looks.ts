import { randomInt } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { WorkerView } from "../../../shared/record/hub-api.ts";
import type { RunRecord } from "../../../shared/record/run-record.ts";
import type { SeenBy } from "../../../shared/record/seen.ts";
import { type WorkerName, workerNames } from "../../../shared/record/worker-name.ts";
import type { SeenMessage } from "../../../shared/telemetry/messages.ts";
import type { TelemetryClient } from "../../../shared/telemetry/telemetry-server.ts";
import { HttpError } from "../answer.ts";

/** The run as the hub knows it. */
interface Watched {
  readonly record: Pick<RunRecord, "config">;
  views(): readonly Pick<WorkerView, "name" | "contact" | "batch" | "perSecond">[];
  /** Undefined where it is not connected. */
  visitor(worker: WorkerName): TelemetryClient | undefined;
}

/** A reader, and of whom it still waits to hear. */
interface Open {
  readonly look: number;
  readonly batch: number;
  readonly response: ServerResponse;
  readonly missing: Set<WorkerName>;
  readonly end: NodeJS.Timeout;
}

/** What workers said of themselves is so old at most, and what they are told takes as long to be there. */
const AHEAD_SECONDS = 1;
/** Where each batch is evaluated there is none that shares its number with nothing. */
const MOST_TRIES = 4;
/** A batch may take seconds, and its target come many batches later. */
const WAIT_MS = 30_000;

/** Has all workers look at one batch that is to come, and passes on what each saw. One look at a time. */
export class Looks {
  readonly #watched: Watched;
  #next = randomInt(2 ** 40);
  #open: Open | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Answers by a line of JSON for each worker. Throws an HttpError: 409, 429. */
  look(response: ServerResponse): void {
    if (this.#open) throw new HttpError(429, "a batch is being looked at for somebody else");
    const batch = this.#batchToCome();
    const look = this.#next++;
    const names = workerNames(this.#watched.record.config);
    const end = setTimeout(() => this.#end("it did not tell in time"), WAIT_MS);
    this.#open = { look, batch, response, missing: new Set(names), end };
    response.on("close", () => this.#left(response));
    response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
    response.flushHeaders();
    for (const name of names) {
      const visitor = this.#watched.visitor(name);
      if (visitor?.introduction.looks) visitor.look({ look, batch });
      else this.#refuse(name, visitor ? "it does not tell what it sees" : "it is not connected");
    }
  }

  /** Of another look, or for the second time: dropped. */
  seen(worker: WorkerName, { kind: _, look, ...seen }: SeenMessage): void {
    if (this.#open?.look === look) this.#tell({ worker, ...seen });
  }

  /** Lives that have ended meanwhile tell nothing any more. */
  contactsChanged(): void {
    for (const { name, contact } of this.#watched.views())
      if (contact === "dead" || contact === "gone") this.#refuse(name, "it ended meanwhile");
  }

  close(): void {
    this.#end("the hub ends");
  }

  /** No worker has begun it when it hears of it; and none that an evaluation or a snapshot shares its number with. */
  #batchToCome(): number {
    const { run, delivery } = this.#watched.record.config;
    const views = this.#watched.views();
    const furthest = Math.max(...views.map(({ batch }) => batch));
    const fastest = Math.max(...views.map(({ perSecond }) => perSecond));
    let batch = furthest + Math.ceil(AHEAD_SECONDS * fastest) + delivery.window + 1;
    const isShared = (every: number) => every > 0 && batch % every === 0;
    for (
      let tries = 0;
      tries < MOST_TRIES && (isShared(run.evaluateEvery) || isShared(run.snapshotEvery));
      tries++
    )
      batch++;
    if (batch >= run.batches)
      throw new HttpError(409, "the run is nearly over: there is no batch to look at");
    return batch;
  }

  #refuse(worker: WorkerName, refusal: string): void {
    if (this.#open) this.#tell({ worker, batch: this.#open.batch, moments: {}, refusal });
  }

  #tell(seen: SeenBy): void {
    const open = this.#open;
    if (!open?.missing.delete(seen.worker)) return;
    open.response.write(`${JSON.stringify(seen)}\n`);
    if (open.missing.size > 0) return;
    this.#left(open.response);
    open.response.end();
  }

  /** Nothing more can be said to this reader. */
  #left(response: ServerResponse): void {
    if (this.#open?.response !== response) return;
    clearTimeout(this.#open.end);
    this.#open = undefined;
  }

  /** Of those that are missing it is said why. */
  #end(why: string): void {
    for (const worker of this.#open?.missing ?? []) this.#refuse(worker, why);
  }
}
