import { initialState } from "../../shared/delivery/delivery-state.ts";
import { frameBytes } from "../../shared/link/limits.ts";
import type { Link, Refusal, Why } from "../../shared/link/link.ts";
import type { LookMessage } from "../../shared/telemetry/messages.ts";
import { ExitCode, type WorkerState } from "../../shared/telemetry/telemetry.ts";
import {
  type BackFrame,
  CloseCode,
  type ForwardFrame,
  type HelloFrame,
  type WelcomeFrame,
} from "../../shared/wire/frames.ts";
import { nameOf } from "../worker/identity.ts";
import { listenFirst, type OpenPort, type PortOwner } from "../worker/listen-first.ts";
import { LogAllowance } from "../worker/log-allowance.ts";
import { paceOf } from "../worker/pace.ts";
import { type Role, Worker } from "../worker/worker.ts";
import { Departure } from "./departure.ts";
import type { Frames } from "./frame-items.ts";
import { LayerService } from "./layer-service.ts";
import type { LayerSurroundings } from "./layer-surroundings.ts";
import type { Lineage } from "./lineage.ts";
import { Looks } from "./look/looks.ts";
import { longestActivation, Predecessor } from "./predecessor.ts";
import { Questions } from "./questions.ts";
import { Saver } from "./saver.ts";
import type { SentLog } from "./sent-log.ts";
import {
  isOrderFree,
  type LayerEnvironment,
  type LayerStart,
  requireLayer,
  rulesOf,
  type Startup,
  startUp,
} from "./startup.ts";

/** One layer: delivery and learning, its checkpoints, its links, and how it leaves. */
export class LayerProcess implements Role, PortOwner {
  readonly worker: Worker;
  readonly layer: number;
  readonly kernels: string;
  readonly #lineage: Lineage;
  readonly #saver: Saver;
  readonly #departure: Departure;
  readonly #service: LayerService;
  readonly #looks: Looks;
  readonly #questions: Questions;
  readonly #predecessor: Predecessor;
  readonly #turnedAway: LogAllowance;
  /** What its checkpoint was of, and the lowest batch that could be repeated from it. */
  readonly beganAt: { readonly cursor: number; readonly firstSent: number };
  /** Where this life ended by going back: the next must be able to repeat this batch. */
  reach: number | undefined;
  readonly #sent: SentLog | undefined;
  #hasLostOrder = false;

  /**
   * Listens, claims a life in the state folder, restores the newest checkpoint, dials. Rejects if it cannot ever start.
   * Learns at rates halved `halvings` times. `reach`: see startUp.
   */
  static async start(start: LayerStart, halvings = 0, reach?: number): Promise<LayerProcess> {
    const { config, options } = start;
    requireLayer(config, options);
    return listenFirst(start, longestActivation(config, options.layer), async (port) => {
      const startup = await startUp(start, halvings, reach);
      const layer = new LayerProcess(start, startup, port);
      layer.#open(start, startup);
      return layer;
    });
  }

  private constructor(start: LayerStart, startup: Startup, port: OpenPort) {
    const { life, work, lineage } = startup;
    const { config, options, environment } = start;
    this.layer = options.layer;
    this.kernels = environment.kernels.name;
    this.#lineage = lineage;
    this.#sent = work.sent;
    this.#turnedAway = new LogAllowance(environment.now);
    this.worker = new Worker(this, start, life, port);
    this.#predecessor = new Predecessor(this.worker.self, config);
    this.#saver = new Saver(lineage, this.worker, paceOf(start).saveMs);
    const rules = rulesOf(config, this.layer);
    const { cursor, standing } = lineage;
    this.beganAt = { cursor, firstSent: standing.firstSent };
    const begun = initialState<Frames>(cursor, standing, startup.mayGoBack, startup.written);
    const surroundings = this.#surroundings(isOrderFree(rules) ? environment.order : undefined);
    this.#service = new LayerService(rules, work, life.meter, surroundings, begun);
    this.#departure = new Departure(this.worker, this.#saver, this.#service);
    this.#looks = new Looks(work, environment, (seen) => this.worker.status.seen(seen));
    this.#questions = new Questions(work, {
      now: environment.now,
      successor: () => this.#service.successor,
      answered: (question, beliefs) =>
        this.worker.status.answer({ question, batch: this.cursor, ...(beliefs && { beliefs }) }),
    });
  }

  #open({ config, options }: LayerStart, { restored, inexact }: Startup): void {
    const { worker } = this;
    if (restored) worker.event("restored", `restored batch ${restored.cursor}`);
    else worker.event("began", "began from nothing");
    if (inexact !== undefined) worker.event("inexact", inexact);
    worker.open();
    if (options.successor !== undefined) {
      const width = config.layers[this.layer - 1]!.outputs;
      const maxFrameBytes = frameBytes(config.run.batchSize, width);
      const { dtype } = config.wire;
      worker.dial({ url: options.successor, called: "successor", maxFrameBytes, width, dtype });
    }
    if (restored) this.#departure.restored(restored);
  }

  /** What happens to its service is done here. */
  #surroundings(order: LayerEnvironment["order"]): LayerSurroundings {
    const { worker, layer } = this;
    return {
      applies: (batch, learnt) => {
        if (order?.note(batch, learnt) === false) this.#lostOrder();
      },
      applied: (cursor) => {
        this.#lineage.applied(cursor);
        worker.status.applied(cursor);
      },
      stands: (standing) => this.#lineage.stands(standing),
      checkpoint: (onOver) => this.#saver.checkpoint(onOver),
      goBack: (batch) => {
        this.reach = batch;
        void worker.goBack(batch);
      },
      saveFinal: (onDurable) => void this.#saveFinal(onDurable),
      saveSnapshot: (barrier, onDurable) =>
        void this.#saver.saveSnapshot(barrier, (digest) => onDurable({ layer, digest })),
      report: () => this.#lineage.report(),
      evaluated: (batch, test) => worker.status.evaluated(batch, test),
      held: () => this.#log("holding", "held", "waits for its successor: it has guessed for long enough"),
      resumed: () => this.#log("goes on", "continued", "goes on"),
      released: () => this.#departure.release(),
      poisoned: (error) => void worker.poisoned(error),
    };
  }

  #lostOrder(): void {
    if (this.#hasLostOrder) return;
    this.#hasLostOrder = true;
    this.worker.event("inexact", "cannot write the order of learning");
  }

  #log(line: string, event: "held" | "continued", text: string): void {
    this.worker.log.info({ batch: this.cursor }, line);
    this.worker.event(event, text);
  }

  // — how it stands —

  get cursor(): number {
    return this.#lineage.cursor;
  }

  get durable(): number {
    return this.#lineage.durable;
  }

  get inFlight(): number | undefined {
    return this.#service.inFlight;
  }

  get keptBytes(): number | undefined {
    return this.#sent?.bytes;
  }

  get alarm(): string | undefined {
    return this.#saver.alarm;
  }

  get state(): WorkerState {
    return this.worker.isStopping ? "stopping" : this.#service.standing;
  }

  get figures() {
    return this.worker.status.figures;
  }

  get lack(): string | undefined {
    if (!this.#predecessor.hasMet) return `${nameOf(this.layer - 1)} has not come yet`;
    const hasMetAll = !this.worker.hasSuccessor || this.worker.hasMetSuccessor;
    return hasMetAll ? undefined : `${nameOf(this.layer + 1)} was not reached yet`;
  }

  lastWords(): object {
    const { applied, digest } = this.#lineage.report();
    return { applied, digest };
  }

  // — links —

  beforeAnswer(): Promise<void> {
    return this.worker.lookBeforeMeeting();
  }

  answer(hello: HelloFrame): WelcomeFrame | Refusal {
    const refusal = this.#predecessor.refuse(hello);
    if (refusal) return refusal;
    if (this.worker.isStopping) return { code: CloseCode.goingAway, reason: "stopping" };
    return this.#predecessor.welcome(this.#service.need);
  }

  predecessorUp(link: Link, hello: HelloFrame): void {
    this.#predecessor.met(hello);
    this.worker.linked(hello.from, hello.incarnation);
    this.#service.predecessorUp(link);
  }

  fromPredecessor(frame: ForwardFrame): void {
    if (frame.kind === "question") this.#questions.hear(frame);
    else this.#service.fromPredecessor(frame);
  }

  predecessorDown(link: Link, why: Why): void {
    if (this.#isRunning) this.worker.lost("predecessor", why);
    this.#service.predecessorDown(link);
    // It has met a newer life of this layer.
    if (why.heard && why.code === CloseCode.fenced) void this.worker.end(ExitCode.done, "fenced");
  }

  turnedAway({ code, reason }: Why): void {
    const line = this.#turnedAway.take();
    if (line) this.worker.log.warn({ code, reason, ...line }, "turned away");
  }

  successorUp(link: Link, { from, incarnation, need }: WelcomeFrame): void {
    this.worker.linked(from, incarnation, { need });
    this.#service.successorUp(link, need);
    this.#departure.successorUp(link);
  }

  fromSuccessor(frame: BackFrame): void {
    this.#service.fromSuccessor(frame);
  }

  successorDown(link: Link, why: Why): void {
    if (this.#isRunning) this.worker.lost("successor", why);
    this.#service.successorDown(link);
    this.#departure.successorDown(why);
  }

  get #isRunning(): boolean {
    return !this.#departure.isReleased && !this.worker.isStopping;
  }

  // — commands —

  look(look: LookMessage): void {
    this.#looks.hear(look, this.cursor);
  }

  pause(isPaused: boolean): void {
    this.#service.pause(isPaused);
  }

  save(): void {
    void this.#saver.saveNow();
  }

  // — the end —

  saveLast(): Promise<void> {
    // Links take their time to close, and so does a store.
    this.#service.stop();
    if (this.cursor <= this.durable) return Promise.resolve();
    return this.#departure.notForLong(this.#saver.save());
  }

  #saveFinal(onDurable: () => void): Promise<void> {
    const durable = () => {
      this.#departure.waitForRelease();
      onDurable();
    };
    return this.#saver.saveFinal(() => this.#service.test, durable);
  }
}
