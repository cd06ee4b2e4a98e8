import type { Logger } from "pino";
import type { Config } from "../../shared/config/config.ts";
import type { Traffic } from "../../shared/link/link.ts";
import type { EventName } from "../../shared/record/lines.ts";
import type { Command } from "../../shared/telemetry/messages.ts";
import type { Progress, WorkerState } from "../../shared/telemetry/telemetry.ts";
import type { TestResult } from "../../shared/wire/frames.ts";
import { type Ending, goodbyeOf } from "../worker/exit.ts";
import { type Identity, nameOf } from "../worker/identity.ts";
import { LogThrottle } from "../worker/log-throttle.ts";
import type { Meter } from "../worker/meter.ts";
import type { WorkerFigures } from "../worker/metrics.ts";
import { Reporter } from "../worker/reporter.ts";
import type { LayerEdges, LayerOptions, Startup } from "./startup.ts";

/** Where a layer stands at this moment. */
export interface LayerStanding {
  readonly state: WorkerState;
  /** Highest batch applied, and highest in a durable checkpoint; −1 before the first. */
  readonly cursor: number;
  readonly durable: number;
  /** Unanswered by the successor; undefined while it is away. */
  readonly inFlight: number | undefined;
  /** Why its last checkpoint failed; undefined if it did not. */
  readonly alarm: string | undefined;
}

export interface StatusReporterSurroundings {
  standing(): LayerStanding;
  obey(command: Command): void;
}

/** What a layer tells of itself while it lives: whoever started it, a hub if there is one, and its log. */
export class StatusReporter {
  readonly #self: Identity;
  readonly #window: number;
  readonly #edges: LayerEdges;
  readonly #log: Logger;
  readonly #meter: Meter;
  readonly #traffic: Traffic;
  readonly #around: StatusReporterSurroundings;
  readonly #reporter: Reporter | undefined;
  readonly #pace: LogThrottle;
  #hasTrained = false;
  /** Said last to whoever started it. */
  #progress: Progress;

  constructor(
    { self, port, traffic }: { readonly self: Identity; readonly port: number; readonly traffic: Traffic },
    config: Config,
    options: LayerOptions,
    edges: LayerEdges,
    { log, meter, unsaid, restoredAt }: Startup,
    around: StatusReporterSurroundings,
  ) {
    this.#self = self;
    this.#window = config.delivery.window;
    this.#edges = edges;
    this.#log = log;
    this.#meter = meter;
    this.#traffic = traffic;
    this.#around = around;
    this.#pace = new LogThrottle(edges.now, edges.now());
    this.#progress = this.#newProgress("starting");
    const { incarnation, instance } = self;
    const who = { worker: nameOf(self.layer), incarnation, instance };
    const life = { ...who, port, kernels: edges.kernels.name, log, traffic };
    this.#reporter = Reporter.begin(unsaid, life, config, options, edges, {
      standing: () => this.#standing,
      obey: (command) => around.obey(command),
    });
    if (restoredAt === undefined) this.#reporter?.event("began", "began from nothing");
    else this.#reporter?.event("restored", `restored batch ${restoredAt}`, restoredAt);
  }

  /** As /metrics has it. */
  get figures(): WorkerFigures {
    return { run: this.#self.run, progress: this.#standing, traffic: this.#traffic };
  }

  /** Whoever started it; resolves once that is said. */
  tell(state: WorkerState): Promise<void> {
    this.#progress = this.#newProgress(state);
    return this.#edges.tell(this.#progress);
  }

  event(name: EventName, text: string): void {
    const { cursor } = this.#around.standing();
    this.#reporter?.event(name, text, cursor < 0 ? undefined : cursor);
  }

  /** A few times a second. */
  report(): void {
    this.#meter.endSegment(this.#edges.now());
    void this.tell(this.#around.standing().state);
    this.#sayProgress();
    this.#reporter?.report();
  }

  /** This batch was applied; of the first one the log says so. */
  applied(batch: number): void {
    if (this.#hasTrained) return;
    this.#hasTrained = true;
    this.#log.info({ batch }, "training");
    this.#pace.said();
  }

  evaluated(batch: number, test: TestResult): void {
    this.#log.info({ batch, ...test }, "evaluated");
    // It stands between two segments: whoever has heard of it has heard of all before it.
    this.#meter.endSegment(this.#edges.now());
    this.#reporter?.evaluation(batch, test);
    void this.#edges.tell({ kind: "evaluated", batch, test });
  }

  held(): void {
    this.#log.info({ batch: this.#around.standing().cursor }, "holding");
    this.event("held", "waits for its successor: it has guessed for long enough");
  }

  resumed(): void {
    this.#log.info({ batch: this.#around.standing().cursor }, "resumed");
    this.event("resumed", "goes on");
  }

  /** Nothing is told after this; resolves once a hub has heard it all, or was given time to. */
  async end(ending: Ending, message: string): Promise<void> {
    if (message === "stopped" || message === "fenced") this.event(message, message);
    this.#meter.endSegment(this.#edges.now());
    await this.#reporter?.end(goodbyeOf(ending, message));
  }

  /** As it was told last, and where it has come to since. */
  get #standing() {
    const { state, cursor: batch, durable, inFlight } = this.#around.standing();
    const onItsWay = inFlight !== undefined && { inFlight, window: this.#window };
    return { ...this.#progress, batch, state, ...onItsWay, durable };
  }

  #sayProgress(): void {
    const { state, batch, perSecond, loss, generatorError, staleness } = this.#progress;
    if (state !== "training" || perSecond === 0 || !this.#pace.allows()) return;
    const { durable } = this.#around.standing();
    const figures = { loss, generatorError, staleness, durable };
    this.#log.info({ batch, perSecond: Math.round(perSecond), ...figures }, "training");
  }

  #newProgress(state: WorkerState): Progress {
    const { perSecond, loss, generatorError, cosine, staleness } = this.#meter.report(this.#edges.now());
    const { cursor: batch, alarm } = this.#around.standing();
    return {
      kind: "progress",
      worker: nameOf(this.#self.layer),
      incarnation: this.#self.incarnation,
      state,
      batch,
      batches: this.#self.batches,
      perSecond,
      ...(loss === undefined ? {} : { loss }),
      ...(generatorError === undefined ? {} : { generatorError }),
      ...(cosine === undefined ? {} : { cosine }),
      ...(staleness === undefined ? {} : { staleness }),
      ...(alarm === undefined ? {} : { alarm }),
    };
  }
}
