import type { Logger } from "pino";
import type { Dialler } from "../../shared/link/dial.ts";
import { frameBytes } from "../../shared/link/limits.ts";
import type { Link, Refusal, Traffic, Why } from "../../shared/link/link.ts";
import type { Listener } from "../../shared/link/listen.ts";
import type { Config } from "../../shared/run/config.ts";
import { isReplaced } from "../../shared/run/incarnation.ts";
import type { Meter } from "../../shared/run/meter.ts";
import type { EventName } from "../../shared/run/record-lines.ts";
import { ExitCode, type Progress, type WorkerState } from "../../shared/run/telemetry.ts";
import {
  type BarrierFrame,
  CloseCode,
  type HelloFrame,
  type SavedLayer,
  type TestResult,
  type WelcomeFrame,
} from "../../shared/wire/frames.ts";
import { type Ending, goodbyeOf, isAsWished } from "../leave.ts";
import { type Obedient, obey } from "../obey.ts";
import { readiness } from "../readiness.ts";
import { Reporter } from "../reporter.ts";
import { isWorthALine } from "../waiting.ts";
import type { WorkerFigures } from "../worker-metrics.ts";
import {
  type Beginning,
  begin,
  type LayerEdges,
  type LayerOptions,
  requireLayer,
  rulesOf,
} from "./beginning.ts";
import { LayerService } from "./layer-service.ts";
import type { Lineage } from "./lineage.ts";
import { Neighbours, nameOf } from "./neighbours.ts";
import { type Saved, Saves } from "./saves.ts";
import { TurnedAway } from "./turned-away.ts";

const REPORT_MS = 500;
const LOG_MS = 5000;
const RETRY_MS = 1000;
/** After the end of the run nothing can be lost any more; neighbours that are gone are not waited for longer. */
const RELEASE_MS = 15_000;
const OVER_MS = 15_000;
/** Finished, not released, and alone: whoever would still need this layer has had time to come back. */
const FORGOTTEN_MS = 600_000;
/** The same refusal that often, and dialling on is pointless. */
const MOST_REFUSALS = 3;

/** One layer, from its first claim of a life to its exit code. */
export class LayerProcess {
  readonly #config: Config;
  readonly #options: LayerOptions;
  readonly #edges: LayerEdges;
  readonly #log: Logger;
  readonly #incarnation: number;
  readonly #neighbours: Neighbours;
  readonly #lineage: Lineage;
  readonly #saves: Saves;
  readonly #service: LayerService;
  readonly #meter: Meter;
  readonly #reporter: Reporter | undefined;
  readonly #traffic: Traffic;
  /** Said last to whoever started it. */
  #progress: Progress;
  readonly #turnedAway: TurnedAway;
  /** Each ends one. */
  readonly #timers: (() => void)[] = [];
  readonly #listener: Listener;
  #dialler: Dialler | undefined;
  #refusals = 0;
  #phase: "running" | "releasing" | "stopping" = "running";
  #hasTrained = false;
  #isLeaving = false;
  #loggedAt: number;
  #finish!: (ending: Ending) => void;
  /** The exit code, once everything is closed; or that its numbers ran away, and a life from the last checkpoint is due. */
  readonly ended: Promise<Ending>;

  /**
   * Listens, claims a life in the state folder, restores the newest checkpoint, dials. Rejects if it cannot ever start.
   * The port comes first: whoever cannot have it must not end the one who lives in the folder by claiming it. Learns at
   * rates halved `halvings` times.
   */
  static async start(
    config: Config,
    options: LayerOptions,
    edges: LayerEdges,
    halvings = 0,
  ): Promise<LayerProcess> {
    requireLayer(config, options);
    let layer: LayerProcess | undefined;
    const traffic = { sent: 0, received: 0 };
    const listener = await edges.listen({
      host: options.host,
      port: options.port,
      link: config.link,
      maxFrameBytes: activationBytes(config, options.layer),
      traffic,
      routes: {
        "/healthz": () => ({ status: 200, body: "ok\n" }),
        "/readyz": () => readiness(layer ? layer.#neighbours.lacking : "restoring"),
        "/metrics": async () => (await import("../worker-metrics.ts")).workerMetrics(layer?.figures),
      },
      answer: (hello) => (layer ? layer.#answer(hello) : { code: CloseCode.goingAway, reason: "starting" }),
      // Nobody is answered with a welcome before there is a layer.
      onUp: (link, hello) => layer!.#predecessorUp(link, hello),
      onFrame: (frame) => layer!.#service.fromPredecessor(frame),
      onDown: (link, why) => layer!.#predecessorDown(link, why),
      onTurnedAway: (why) => {
        if (layer) layer.#turnedAway.add(why);
      },
    });
    try {
      const beginning = await begin(config, options, edges, halvings);
      layer = new LayerProcess(config, options, edges, beginning, { listener, traffic });
      layer.#open(beginning.isOver);
      return layer;
    } catch (error) {
      void listener.close();
      throw error;
    }
  }

  private constructor(
    config: Config,
    options: LayerOptions,
    edges: LayerEdges,
    beginning: Beginning,
    { listener, traffic }: { readonly listener: Listener; readonly traffic: Traffic },
  ) {
    this.#listener = listener;
    this.#traffic = traffic;
    const { incarnation, log, work, lineage, meter } = beginning;
    this.#meter = meter;
    this.#config = config;
    this.#options = options;
    this.#edges = edges;
    this.#incarnation = incarnation;
    this.#log = log;
    this.#lineage = lineage;
    this.#neighbours = new Neighbours(config, options, incarnation);
    this.#saves = new Saves(lineage, {
      log,
      now: edges.now,
      event: (name, text) => this.#event(name, text),
    });
    this.#loggedAt = edges.now();
    this.#turnedAway = new TurnedAway((who) => log.warn(who, "turned away"), edges.now);
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const surroundings = {
      applied: (cursor: number) => this.#applied(cursor),
      saveFinal: (onDurable: () => void) => void this.#saveFinal(onDurable),
      saveSnapshot: (barrier: BarrierFrame, onDurable: (saved: SavedLayer) => void) =>
        void this.#saveSnapshot(barrier, onDurable),
      report: () => lineage.report(),
      evaluated: (batch: number, test: TestResult) => this.#evaluated(batch, test),
      held: () => this.#held(),
      resumed: () => this.#resumed(),
      released: () => this.#released(),
      poisoned: (error: Error) => this.#poisoned(error),
    };
    const rules = rulesOf(config, options.layer);
    this.#service = new LayerService(rules, work, this.#meter, surroundings, lineage.cursor);
    this.#progress = this.#newProgress("starting");
    this.#reporter = this.#newReporter(beginning);
  }

  #newReporter({ unsaid, restoredAt }: Beginning): Reporter | undefined {
    const { kernels } = this.#edges;
    const life = {
      worker: this.#name,
      incarnation: this.#incarnation,
      instance: this.#neighbours.instance,
      port: this.#listener.port,
      kernels: kernels.name,
      log: this.#log,
      traffic: this.#traffic,
    };
    const reporter = Reporter.begin(unsaid, life, this.#config, this.#options, this.#edges, {
      standing: () => this.#standing(),
      obey: (command) => obey(this.#obedient(), command),
    });
    if (restoredAt === undefined) reporter?.event("began", "began from nothing");
    else reporter?.event("restored", `restored batch ${restoredAt}`, restoredAt);
    return reporter;
  }

  #open(isOver: boolean): void {
    const { successor } = this.#options;
    this.#tell("waiting");
    void this.#edges.tell({ kind: "listening", worker: this.#name, port: this.#listener.port });
    if (successor !== undefined) this.#dialler = this.#dial(successor);
    const report = () => {
      this.#meter.endSegment(this.#edges.now());
      this.#report();
      this.#reporter?.report();
      void this.#stepDownIfReplaced();
    };
    this.#timers.push(this.#edges.every(REPORT_MS, report));
    if (isOver) this.#leaveWhenAlone(OVER_MS);
  }

  /** Whoever claimed the folder later is in office, even if no neighbour has met it yet. */
  async #stepDownIfReplaced(): Promise<void> {
    const { state } = this.#options;
    // A disk that fails for a while is no reason to stop learning.
    const replaced = await isReplaced(state, this.#incarnation, this.#edges.disk).catch(() => false);
    if (replaced) await this.#end(ExitCode.done, "fenced");
  }

  get cursor(): number {
    return this.#lineage.cursor;
  }

  get port(): number {
    return this.#listener.port;
  }

  get log(): Logger {
    return this.#log;
  }

  get #name(): string {
    return `layer${this.#options.layer}`;
  }

  // — links —

  #answer(hello: HelloFrame): WelcomeFrame | Refusal {
    const refusal = this.#neighbours.refusePredecessor(hello);
    if (refusal) return refusal;
    if (this.#phase === "stopping") return { code: CloseCode.goingAway, reason: "stopping" };
    return this.#neighbours.welcome(this.#service.need);
  }

  #predecessorUp(link: Link, hello: HelloFrame): void {
    const { from, incarnation } = hello;
    this.#neighbours.predecessorMet(hello);
    this.#log.info({ neighbour: nameOf(from), theirIncarnation: incarnation }, "linked");
    this.#event("linked", `linked to ${nameOf(from)}, its life ${incarnation}`);
    this.#service.predecessorUp(link);
  }

  #predecessorDown(link: Link, why: Why): void {
    if (this.#phase === "running") this.#lost("predecessor", why);
    this.#service.predecessorDown(link);
    // It has met a newer life of this layer.
    if (why.heard && why.code === CloseCode.fenced) void this.#end(ExitCode.done, "fenced");
  }

  #dial(url: string): Dialler {
    const { layers, run: length, link } = this.#config;
    return this.#edges.dial({
      url,
      link,
      maxFrameBytes: frameBytes(length.batchSize, layers[this.#options.layer - 1]!.outputs),
      traffic: this.#traffic,
      random: this.#edges.random,
      hello: () => this.#neighbours.hello(),
      check: (welcome) => this.#neighbours.refuseSuccessor(welcome),
      onUp: (up, welcome) => this.#successorUp(up, welcome),
      onFrame: (frame) => this.#service.fromSuccessor(frame),
      onDown: (down, why) => this.#successorDown(down, why),
      onWaiting: (attempt, waitMs, { reason }) => {
        if (isWorthALine(attempt))
          this.#log.info({ attempt, waitMs: Math.round(waitMs), reason }, "waiting for successor");
      },
      onRefused: (refusal) => this.#refused(refusal),
    });
  }

  #successorUp(link: Link, welcome: WelcomeFrame): void {
    const { from, incarnation, need } = welcome;
    this.#refusals = 0;
    this.#neighbours.successorMet(welcome);
    this.#log.info({ neighbour: nameOf(from), theirIncarnation: incarnation, need }, "linked");
    this.#event("linked", `linked to ${nameOf(from)}, its life ${incarnation}`);
    this.#service.successorUp(link, need);
    if (this.#phase === "releasing") this.#passRelease(link);
  }

  #successorDown(link: Link | undefined, why: Why): void {
    if (!link) return;
    if (this.#phase === "running") this.#lost("successor", why);
    this.#service.successorDown(link);
    // Who was not heard to have read the release is told again.
    if (this.#phase === "releasing" && why.confirmed) void this.#end(ExitCode.done, "done");
  }

  #lost(who: "predecessor" | "successor", why: Why): void {
    this.#log.warn({ ...why, batch: this.#lineage.cursor }, `lost ${who}`);
    this.#event("lost", `lost ${who}: ${why.code} ${why.reason}`.trim());
  }

  /** The same dial would be answered alike: an older life steps down, a stranger gives up after a few tries. */
  #refused({ code, reason }: Why): void {
    this.#refusals += 1;
    this.#log.error({ code, reason, times: this.#refusals }, "refused by successor");
    if (code === CloseCode.fenced) void this.#end(ExitCode.done, "fenced");
    else if (this.#refusals >= MOST_REFUSALS)
      void this.#end(ExitCode.cannotStart, "cannot work with this successor");
  }

  // — learning —

  #applied(cursor: number): void {
    this.#lineage.applied(cursor);
    if (!this.#hasTrained) {
      this.#hasTrained = true;
      this.#log.info({ batch: cursor }, "training");
      this.#loggedAt = this.#edges.now();
    }
    if ((cursor + 1) % this.#config.run.checkpointEvery === 0 && !this.#lineage.isSaving) void this.#save();
  }

  async #save(): Promise<void> {
    await this.#heed(await this.#saves.checkpoint());
  }

  /** Of a save that failed the alarm is enough: training goes on, and the next one may work. */
  async #heed(saved: Saved | undefined): Promise<void> {
    if (saved === "replaced") await this.#end(ExitCode.done, "fenced");
    else if (saved instanceof Error) this.#poisoned(saved);
  }

  /** Again and again until it works: nothing was lost yet, and room on a disk comes back. */
  async #saveFinal(onDurable: () => void): Promise<void> {
    const saved = await this.#saves.final(this.#service.test);
    await this.#heed(saved);
    if (this.#phase !== "running") return;
    if (saved === "durable") {
      this.#leaveWhenAlone(FORGOTTEN_MS);
      onDurable();
    } else if (saved === "failed")
      this.#timers.push(this.#edges.after(RETRY_MS, () => void this.#saveFinal(onDurable)));
    else if (saved === "impossible") await this.#end(ExitCode.gaveUp, "cannot save the end of the run");
  }

  async #saveSnapshot(barrier: BarrierFrame, onDurable: (saved: SavedLayer) => void): Promise<void> {
    const saved = await this.#saves.snapshot(barrier, (digest) => {
      if (this.#phase === "running") onDurable({ layer: this.#options.layer, digest });
    });
    await this.#heed(saved);
  }

  #evaluated(batch: number, test: TestResult): void {
    this.#log.info({ batch, ...test }, "evaluated");
    // It stands between two segments: whoever has heard of it has heard of all before it.
    this.#meter.endSegment(this.#edges.now());
    this.#reporter?.evaluation(batch, test);
    void this.#edges.tell({ kind: "evaluated", batch, test });
  }

  // — telling —

  #event(name: EventName, text: string): void {
    const { cursor } = this.#lineage;
    this.#reporter?.event(name, text, cursor < 0 ? undefined : cursor);
  }

  #held(): void {
    this.#log.info({ batch: this.#lineage.cursor }, "holding");
    this.#event("held", "waits for its successor: it has guessed for long enough");
  }

  #resumed(): void {
    this.#log.info({ batch: this.#lineage.cursor }, "resumed");
    this.#event("resumed", "goes on");
  }

  #tell(state: WorkerState): Promise<void> {
    this.#progress = this.#newProgress(state);
    return this.#edges.tell(this.#progress);
  }

  /** As it was told last, and where it has come to since. */
  #standing() {
    const { batch, state } = { batch: this.#lineage.cursor, state: this.#service.standing };
    const { inFlight } = this.#service;
    const { durable } = this.#lineage;
    return {
      ...this.#progress,
      batch,
      state: this.#phase === "stopping" ? ("stopping" as const) : state,
      ...(inFlight !== undefined && { inFlight, window: this.#config.delivery.window }),
      durable,
    };
  }

  get figures(): WorkerFigures {
    return { run: this.#options.run, progress: this.#standing(), traffic: this.#traffic };
  }

  #report(): void {
    void this.#tell(this.#service.standing);
    const progress = this.#progress;
    const now = this.#edges.now();
    if (now - this.#loggedAt < LOG_MS || progress.state !== "training" || progress.perSecond === 0) return;
    this.#loggedAt = now;
    const { batch, perSecond, loss, generatorError, staleness } = progress;
    const figures = { loss, generatorError, staleness, durable: this.#lineage.durable };
    this.#log.info({ batch, perSecond: Math.round(perSecond), ...figures }, "training");
  }

  #newProgress(state: WorkerState): Progress {
    const { perSecond, loss, generatorError, cosine, staleness } = this.#meter.report(this.#edges.now());
    const { alarm } = this.#saves;
    return {
      kind: "progress" as const,
      worker: this.#name,
      incarnation: this.#incarnation,
      state,
      batch: this.#lineage.cursor,
      batches: this.#config.run.batches,
      perSecond,
      ...(loss === undefined ? {} : { loss }),
      ...(generatorError === undefined ? {} : { generatorError }),
      ...(cosine === undefined ? {} : { cosine }),
      ...(staleness === undefined ? {} : { staleness }),
      ...(alarm === undefined ? {} : { alarm }),
    };
  }

  // — being told —

  #obedient(): Obedient {
    return {
      log: this.#log,
      batch: this.#lineage.cursor,
      isPaused: this.#service.standing === "paused",
      setPaused: (isPaused) => this.#service.pause(isPaused),
      event: (name, text) => this.#event(name, text),
      save: () => void this.#saves.atOnce().then((saved) => this.#heed(saved)),
      crash: () => this.#finish(1),
      stop: (why, code) => void this.stop(why, code),
    };
  }

  // — the end —

  #released(): void {
    if (this.#phase !== "running") return;
    this.#phase = "releasing";
    if (!this.#dialler) return void this.#end(ExitCode.done, "done");
    this.#timers.push(this.#edges.after(RELEASE_MS, () => void this.#end(ExitCode.done, "done")));
    if (this.#service.successor) this.#passRelease(this.#service.successor);
  }

  #passRelease(successor: Link): void {
    successor.send({ kind: "release" });
    successor.close(CloseCode.done, "finished");
  }

  /** Its part is done, and its neighbours may have left long ago. Those that have not are released. */
  #leaveWhenAlone(afterMs: number): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    let aloneMs = 0;
    const look = () => {
      aloneMs = this.#service.standing === "waiting" ? aloneMs + REPORT_MS : 0;
      if (aloneMs >= afterMs) this.#released();
    };
    this.#timers.push(this.#edges.every(REPORT_MS, look));
  }

  /** Saves what has been learnt, and ends. */
  async stop(why: string, code: number = ExitCode.done): Promise<void> {
    if (this.#phase === "stopping") return;
    this.#log.info({ why, batch: this.#lineage.cursor }, "stopping");
    this.#phase = "stopping";
    void this.#tell("stopping");
    void this.#dropLinks();
    if (this.#lineage.cursor > this.#lineage.durable) await this.#save();
    await this.#end(code, "stopped");
  }

  /** Saves nothing: what it holds is what ran away. */
  #poisoned(error: Error): void {
    this.#log.error({ err: error, batch: this.#lineage.cursor, durable: this.#lineage.durable }, "poisoned");
    this.#event("poisoned", error.message);
    void this.#end("poisoned", "rolling back");
  }

  async #dropLinks(code: CloseCode = CloseCode.goingAway, reason = "stopping"): Promise<void> {
    const closed = [this.#listener, this.#dialler].map((each) => each?.close(code, reason));
    await Promise.all(closed);
  }

  async #end(ending: Ending, message: string): Promise<void> {
    if (this.#timers.length === 0) return;
    for (const endTimer of this.#timers.splice(0)) endTimer();
    if (this.#phase === "running") this.#phase = "stopping";
    // A predecessor that has passed the release on takes "done" for a sign that it was read; "going away" is none.
    const dropped = message === "done" ? this.#dropLinks(CloseCode.done, "finished") : this.#dropLinks();
    const { applied, digest } = this.#lineage.report();
    await this.#tell(message === "done" ? "finished" : "stopping");
    this.#log[isAsWished(ending) ? "info" : "error"]({ applied, digest }, message);
    if (message === "stopped" || message === "fenced") this.#event(message, message);
    this.#meter.endSegment(this.#edges.now());
    await this.#reporter?.end(goodbyeOf(ending, message));
    // The next life listens at the same port.
    if (ending === "poisoned") await dropped;
    this.#finish(ending);
  }
}

/** The longest frame that a predecessor may send. */
function activationBytes({ layers, learning, run }: Config, layer: number): number {
  const own = layers[layer - 1]!.inputs;
  const hasInput = learning.generator.evidence.includes("input") || learning.inputGenerator !== undefined;
  const network = hasInput ? layers[0]!.inputs : 0;
  return frameBytes(run.batchSize, own + network + layers.at(-1)!.outputs);
}
