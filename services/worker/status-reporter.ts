import type { EventName } from "../../shared/record/lines.ts";
import type { AnswerMessage, SeenMessage } from "../../shared/telemetry/messages.ts";
import type { Progress, WorkerState } from "../../shared/telemetry/telemetry.ts";
import type { TestResult } from "../../shared/wire/frames.ts";
import type { ClaimedLife } from "./claim-life.ts";
import type { Environment } from "./environment.ts";
import { type Ending, goodbyeOf } from "./exit.ts";
import { type Identity, nameOf } from "./identity.ts";
import type { OpenPort, Start } from "./listen-first.ts";
import { LogThrottle } from "./log-throttle.ts";
import type { WorkerFigures } from "./metrics.ts";
import { type ReportedWorker, Reporter } from "./reporter.ts";

/** How a worker stands at this moment. */
export interface Status {
  readonly state: WorkerState;
  /** Highest batch applied (source: sent); −1 before the first. */
  readonly cursor: number;
  /** Highest batch in a durable checkpoint; undefined for the source, which has none. */
  readonly durable: number | undefined;
  /** What a layer keeps of what it sent; undefined where it keeps nothing. */
  readonly keptBytes?: number | undefined;
  /** Unanswered by the successor; undefined while it is away. */
  readonly inFlight: number | undefined;
  /** What does not work at present, though training goes on. */
  readonly alarm: string | undefined;
}

/** What a worker reports while it lives: to the process that started it, to a hub if there is one, and to its log. */
export class StatusReporter {
  readonly #self: Identity;
  readonly #window: number;
  readonly #environment: Environment;
  readonly #life: ClaimedLife;
  readonly #port: OpenPort;
  readonly #worker: Status;
  readonly #hub: Reporter | undefined;
  readonly #throttle: LogThrottle;
  #hasTrained = false;
  /** Said last to the process that started it. */
  #progress: Progress | undefined;

  constructor(
    { config, options, environment }: Start,
    self: Identity,
    life: ClaimedLife,
    port: OpenPort,
    worker: Status & { readonly kernels: string },
    heard: Pick<ReportedWorker, "obey" | "ask" | "look">,
  ) {
    this.#self = self;
    this.#window = config.delivery.window;
    this.#environment = environment;
    this.#life = life;
    this.#port = port;
    this.#worker = worker;
    this.#throttle = new LogThrottle(environment.now, environment.now());
    const { incarnation, instance } = self;
    const { traffic, listener } = port;
    const spoken = { worker: nameOf(self.layer), incarnation, instance, port: listener.port, traffic };
    const about = { ...spoken, kernels: worker.kernels, log: life.log };
    this.#hub = Reporter.begin(life.pending, about, config, options, environment, {
      standing: () => this.#now,
      ...heard,
    });
  }

  /** As /metrics has it. */
  get figures(): WorkerFigures {
    return { run: this.#self.run, progress: this.#now, traffic: this.#port.traffic };
  }

  /** To the process that started it; resolves once that is said. */
  tell(state: WorkerState = this.#worker.state): Promise<void> {
    this.#progress = this.#newProgress(state);
    return this.#environment.tell(this.#progress);
  }

  /** Into the run's record. */
  event(name: EventName, text: string, batch = this.#worker.cursor): void {
    this.#hub?.event(name, text, batch < 0 ? undefined : batch);
  }

  answer(answer: Omit<AnswerMessage, "kind">): void {
    this.#hub?.answer(answer);
  }

  seen(seen: Omit<SeenMessage, "kind">): void {
    this.#hub?.seen(seen);
  }

  /** A few times a second. */
  report(): void {
    this.#life.meter.endSegment(this.#environment.now());
    void this.tell();
    this.#logProgress();
    this.#hub?.report();
  }

  /** This batch was applied; of the first one the log says so. */
  applied(batch: number): void {
    if (this.#hasTrained) return;
    this.#hasTrained = true;
    this.#life.log.info({ batch }, "training");
    this.#throttle.said();
  }

  evaluated(batch: number, test: TestResult): void {
    this.#life.log.info({ batch, ...test }, "evaluated");
    // It stands between two segments: a hub that has heard it has heard all before it.
    this.#life.meter.endSegment(this.#environment.now());
    this.#hub?.evaluation(batch, test);
    void this.#environment.tell({ kind: "evaluated", batch, test });
  }

  /** Nothing is told after this; resolves once a hub has heard it all, or was given time to. */
  async end(ending: Ending, message: string): Promise<void> {
    if (message === "stopped" || message === "fenced") this.event(message, message);
    this.#life.meter.endSegment(this.#environment.now());
    await this.#hub?.end(goodbyeOf(ending, message));
  }

  /** As it was told last, and where it has come to since. */
  get #now() {
    const { state, cursor: batch, durable, keptBytes, inFlight } = this.#worker;
    this.#progress ??= this.#newProgress(state);
    const onItsWay = inFlight !== undefined && { inFlight, window: this.#window };
    return { ...this.#progress, batch, state, ...onItsWay, ...withoutUndefined({ durable, keptBytes }) };
  }

  #logProgress(): void {
    const { state, batch, perSecond, loss, generatorError, staleness } = this.#now;
    if (state !== "training" || perSecond === 0 || !this.#throttle.allows()) return;
    const { durable } = this.#worker;
    const figures = { loss, generatorError, staleness, durable };
    const word = this.#self.layer === 0 ? "feeding" : "training";
    this.#life.log.info({ batch, perSecond: Math.round(perSecond), ...figures }, word);
  }

  #newProgress(state: WorkerState): Progress {
    const { perSecond, ...figures } = this.#life.meter.report(this.#environment.now());
    const { cursor: batch, alarm } = this.#worker;
    return {
      kind: "progress",
      worker: nameOf(this.#self.layer),
      incarnation: this.#self.incarnation,
      state,
      batch,
      batches: this.#self.batches,
      perSecond,
      ...withoutUndefined({ ...figures, alarm }),
    };
  }
}

/** Only what is known of them. */
function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
