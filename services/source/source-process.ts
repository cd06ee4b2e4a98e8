import { dataFacts } from "../../shared/config/data-facts.ts";
import { frameBytes } from "../../shared/link/limits.ts";
import type { Link, Refusal, Why } from "../../shared/link/link.ts";
import type { LookMessage, QuestionMessage } from "../../shared/telemetry/messages.ts";
import { ExitCode, type WorkerState } from "../../shared/telemetry/telemetry.ts";
import {
  type BackFrame,
  CloseCode,
  type FinishedFrame,
  type WelcomeFrame,
} from "../../shared/wire/frames.ts";
import { listenFirst, type OpenPort, type PortOwner } from "../worker/listen-first.ts";
import { isConfirmed, type Role, Worker } from "../worker/worker.ts";
import { Looks } from "./looks.ts";
import { Questions } from "./questions.ts";
import { RunEnd } from "./run-end.ts";
import { SourceService } from "./source-service.ts";
import { type SourceStart, type Startup, startUp } from "./startup.ts";

const LOOK_MS = 500;
/** Layer 1 may have died just now; it comes back within that, and must hear that the run is over. */
const RELEASE_MS = 600_000;

/**
 * Feeds the chain. It keeps no state that a crash could lose: the first layer's welcome says where to go on, and the
 * run's folder of which batches there is a snapshot.
 */
export class SourceProcess implements Role, PortOwner {
  readonly worker: Worker;
  readonly layer = 0;
  readonly kernels = "none";
  readonly durable = undefined;
  readonly #start: SourceStart;
  readonly #service: SourceService;
  readonly #questions: Questions;
  readonly #looks: Looks;
  readonly #end: RunEnd;
  /** "reaching" layer 1 for the first time; "recording": every layer has finished, and the record is not durable yet. */
  #phase: "reaching" | "running" | "recording" | "finished";

  /** Rejects if it cannot ever start. Where the run is over already, it only lets the layers go that are still there. */
  static async start(start: SourceStart): Promise<SourceProcess> {
    return listenFirst(start, frameBytes(1, 1), async (port) => {
      const source = new SourceProcess(start, await startUp(start), port);
      source.#open();
      return source;
    });
  }

  private constructor(start: SourceStart, { life, startedAt, wasOver, snapshots }: Startup, port: OpenPort) {
    const { config, environment } = start;
    this.#start = start;
    this.#phase = wasOver ? "finished" : "reaching";
    this.worker = new Worker(this, start, life, port);
    this.#end = new RunEnd(start, startedAt, this.worker);
    this.#service = new SourceService(config, environment, this.worker, life.meter, snapshots, {
      finished: (frame) => void this.#conclude(frame),
      sent: (batch) => this.#looks.sent(batch),
    });
    this.#looks = new Looks(environment, (seen) => this.worker.status.seen(seen));
    this.#questions = new Questions(environment.data, dataFacts(config.data), config.run.batchSize, {
      now: environment.now,
      successor: () => this.#service.successor,
      batch: () => this.cursor,
      answered: (answer) => this.worker.status.answer(answer),
    });
  }

  #open(): void {
    const { config, options } = this.#start;
    const { worker } = this;
    worker.open();
    // Layer 1 answers without numbers.
    const answers = { maxFrameBytes: frameBytes(1, 1), width: config.layers[0]!.inputs };
    const dtype = dataFacts(config.data).inputType;
    worker.dial({ url: options.successor, called: "layer1", ...answers, dtype });
    // The parent of the life before may not have heard it from that one.
    if (this.#phase === "finished") this.#announce();
    worker.timers.every(LOOK_MS, () => {
      if (this.#service.isAlone) void this.#lookForRecord();
    });
  }

  // — how it stands —

  get cursor(): number {
    return this.#service.cursor;
  }

  get inFlight(): number {
    return this.#service.inFlight;
  }

  get alarm(): string | undefined {
    return this.#end.alarm;
  }

  get state(): WorkerState {
    if (this.#phase === "finished") return "finished";
    return this.worker.isStopping ? "stopping" : this.#service.standing;
  }

  get figures() {
    return this.worker.status.figures;
  }

  get lack(): string | undefined {
    return this.#phase === "reaching" ? "layer1 was not reached yet" : undefined;
  }

  lastWords(): object {
    return { batch: this.cursor };
  }

  get #isRunning(): boolean {
    return (this.#phase === "reaching" || this.#phase === "running") && !this.worker.isStopping;
  }

  // — links —

  answer(): Refusal {
    return { code: CloseCode.mismatch, reason: "nobody comes before the source" };
  }

  successorUp(link: Link, { incarnation, need }: WelcomeFrame): void {
    this.#service.successorUp(link);
    if (this.#phase === "finished") return this.worker.passRelease(link);
    this.#begin(need);
    this.worker.linked(1, incarnation, { need });
    this.#service.feed(need);
  }

  fromSuccessor(frame: BackFrame): void {
    if (frame.kind === "gradient") this.#looks.answered(frame.batch);
    this.#service.fromSuccessor(frame);
  }

  successorDown(link: Link, why: Why): void {
    if (this.#isRunning) this.worker.lost("successor", why);
    this.#service.successorDown(link);
    // A layer 1 that was not heard to have read the release is told again.
    if (this.#phase === "finished" && isConfirmed(why)) void this.worker.end(ExitCode.done, "done");
  }

  /** It has no state of its own: layer 1 says where this life begins. */
  #begin(need: number): void {
    if (this.#phase !== "reaching") return;
    this.#phase = "running";
    if (need === 0) this.worker.event("began", "began with batch 0");
    else this.worker.event("restored", `goes on from batch ${need - 1}, where layer1 is`, need - 1);
  }

  // — questions and commands —

  ask(question: QuestionMessage): void {
    this.#questions.hear(question);
  }

  look(look: LookMessage): void {
    this.#looks.hear(look, this.cursor);
  }

  pause(isPaused: boolean): void {
    this.#service.pause(isPaused);
  }

  save(): void {
    this.worker.log.info("a source has nothing to save");
  }

  async saveLast(): Promise<void> {}

  // — the end —

  /** Every layer holds its last batch durably: write the record, then let them go. */
  async #conclude({ reports, test }: FinishedFrame): Promise<void> {
    if (!this.#isRunning) return;
    if (!test) return this.worker.log.error("finished without a test result");
    this.#phase = "recording";
    const source = { restarts: this.worker.self.incarnation - 1 };
    if (!(await this.#end.write({ layers: reports, test, source }))) return;
    this.#phase = "finished";
    this.worker.log.info({ ...test, record: this.#start.options.record }, "finished");
    this.worker.event("finished", "every layer has finished, and the record is written");
    this.#announce();
  }

  /** A former life may have ended the run while this one began: then no layer dials any more. */
  async #lookForRecord(): Promise<void> {
    if (!(await this.#end.isThere()) || !this.#isRunning) return;
    this.#phase = "finished";
    this.worker.log.info({ record: this.#start.options.record }, "the run was over already");
    this.#announce();
  }

  /** Layer 1 passes it on. */
  #announce(): void {
    const told = this.#start.environment.tell({ kind: "finished" });
    const { successor } = this.#service;
    if (successor) void told.then(() => this.worker.passRelease(successor));
    this.worker.timers.after(RELEASE_MS, () => void this.worker.end(ExitCode.done, "done"));
  }
}
