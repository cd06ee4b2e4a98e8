import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { CheckpointError } from "../../shared/checkpoint/checkpoint.ts";
import { Claim } from "../../shared/checkpoint/claim.ts";
import { Replaced } from "../../shared/checkpoint/store.ts";
import type { Config } from "../../shared/config/config.ts";
import { configHash } from "../../shared/config/hash.ts";
import { frameBytes } from "../../shared/link/limits.ts";
import type { Link, Refusal, Traffic, Why } from "../../shared/link/link.ts";
import type { Listener } from "../../shared/link/listen.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { CloseCode, type HelloFrame, type WelcomeFrame } from "../../shared/wire/frames.ts";
import { type CommandTarget, runCommand } from "../worker/commands.ts";
import { type Ending, isExpected } from "../worker/exit.ts";
import { type Identity, nameOf } from "../worker/identity.ts";
import type { WorkerFigures } from "../worker/metrics.ts";
import { readiness } from "../worker/readiness.ts";
import { Successor } from "../worker/successor.ts";
import { Timers } from "../worker/timers.ts";
import { LayerService, type LayerSurroundings } from "./layer-service.ts";
import type { Lineage } from "./lineage.ts";
import { longestActivation, Predecessor } from "./predecessor.ts";
import { Saver } from "./saver.ts";
import {
  type LayerEdges,
  type LayerOptions,
  requireLayer,
  rulesOf,
  type Startup,
  startUp,
} from "./startup.ts";
import { type LayerStanding, StatusReporter } from "./status-reporter.ts";
import { TurnedAway } from "./turned-away.ts";

const REPORT_MS = 500;
/** After the end of the run nothing can be lost any more; neighbours that are gone are not waited for longer. */
const RELEASE_MS = 15_000;
const OVER_MS = 15_000;
const LAST_SAVE_MS = 8000;
/** Finished, not released, and alone: whoever would still need this layer has had time to come back. */
const FORGOTTEN_MS = 600_000;

/** One layer, from its first claim of a life to its exit code. */
export class LayerProcess {
  readonly #config: Config;
  readonly #options: LayerOptions;
  readonly #edges: LayerEdges;
  readonly #log: Logger;
  readonly #self: Identity;
  readonly #office: Claim;
  readonly #lineage: Lineage;
  readonly #saver: Saver;
  readonly #service: LayerService;
  readonly #telling: StatusReporter;
  readonly #traffic: Traffic;
  readonly #turnedAway: TurnedAway;
  readonly #timers: Timers;
  readonly #listener: Listener;
  readonly #predecessor: Predecessor;
  #successor: Successor | undefined;
  #phase: "running" | "releasing" | "stopping" = "running";
  #isLeaving = false;
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
      maxFrameBytes: longestActivation(config, options.layer),
      traffic,
      routes: {
        "/healthz": () => ({ status: 200, body: "ok\n" }),
        "/readyz": () => readiness(layer ? layer.#lacks : "restoring"),
        "/metrics": async () => (await import("../worker/metrics.ts")).workerMetrics(layer?.figures),
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
      const beginning = await startUp(config, options, edges, halvings);
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
    beginning: Startup,
    { listener, traffic }: { readonly listener: Listener; readonly traffic: Traffic },
  ) {
    this.#listener = listener;
    this.#traffic = traffic;
    const { incarnation, log, work, lineage, meter } = beginning;
    this.#config = config;
    this.#options = options;
    this.#edges = edges;
    this.#log = log;
    this.#lineage = lineage;
    const { layer, run } = options;
    const { batches } = config.run;
    this.#self = { layer, run, configHash: configHash(config), batches, incarnation, instance: randomUUID() };
    this.#predecessor = new Predecessor(this.#self, config);
    this.#office = new Claim(options.state, incarnation, edges.disk);
    this.#timers = new Timers(edges);
    this.#turnedAway = new TurnedAway((who) => log.warn(who, "turned away"), edges.now);
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#saver = new Saver(lineage, config.run.checkpointEvery, {
      log,
      now: edges.now,
      after: (ms, run) => this.#timers.after(ms, run),
      event: (name, text) => this.#telling.event(name, text),
      isRunning: () => this.#phase === "running",
      mustEnd: (error) => this.#mustEnd(error),
      gaveUp: () => this.#end(ExitCode.gaveUp, "cannot save the end of the run"),
    });
    const surroundings: LayerSurroundings = {
      applied: (cursor) => {
        lineage.applied(cursor);
        this.#telling.applied(cursor);
        this.#saver.applied(cursor);
      },
      saveFinal: (onDurable) => this.#saveFinal(onDurable),
      saveSnapshot: (barrier, onDurable) =>
        void this.#saver.saveSnapshot(barrier, (digest) => onDurable({ layer, digest })),
      report: () => lineage.report(),
      evaluated: (batch, test) => this.#telling.evaluated(batch, test),
      held: () => this.#telling.held(),
      resumed: () => this.#telling.resumed(),
      released: () => this.#released(),
      poisoned: (error) => this.#poisoned(error),
    };
    const rules = rulesOf(config, options.layer);
    this.#service = new LayerService(rules, work, meter, surroundings, lineage.cursor);
    const life = { self: this.#self, port: listener.port, traffic };
    this.#telling = new StatusReporter(life, config, options, edges, beginning, {
      standing: () => this.#standing,
      obey: (command) => runCommand(this.#obedient(), command),
    });
  }

  #open(isOver: boolean): void {
    const { successor } = this.#options;
    void this.#telling.tell("waiting");
    void this.#edges.tell({ kind: "listening", worker: nameOf(this.#self.layer), port: this.#listener.port });
    if (successor !== undefined) this.#successor = this.#dial(successor);
    const report = () => {
      this.#telling.report();
      void this.#stepDownIfReplaced();
    };
    this.#timers.every(REPORT_MS, report);
    if (isOver) this.#leaveWhenAlone(OVER_MS);
  }

  async #stepDownIfReplaced(): Promise<void> {
    // A disk that fails for a while is no reason to stop learning.
    if ((await this.#office.glance()) === "replaced") await this.#end(ExitCode.done, "fenced");
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

  get figures(): WorkerFigures {
    return this.#telling.figures;
  }

  get #standing(): LayerStanding {
    const { cursor, durable } = this.#lineage;
    const { inFlight, standing } = this.#service;
    const state = this.#phase === "stopping" ? "stopping" : standing;
    return { state, cursor, durable, inFlight, alarm: this.#saver.alarm };
  }

  // — links —

  #answer(hello: HelloFrame): WelcomeFrame | Refusal {
    const refusal = this.#predecessor.refuse(hello);
    if (refusal) return refusal;
    if (this.#phase === "stopping") return { code: CloseCode.goingAway, reason: "stopping" };
    return this.#predecessor.welcome(this.#service.need);
  }

  #predecessorUp(link: Link, hello: HelloFrame): void {
    const { from, incarnation } = hello;
    this.#predecessor.met(hello);
    this.#log.info({ neighbour: nameOf(from), theirIncarnation: incarnation }, "linked");
    this.#telling.event("linked", `linked to ${nameOf(from)}, its life ${incarnation}`);
    this.#service.predecessorUp(link);
  }

  #predecessorDown(link: Link, why: Why): void {
    if (this.#phase === "running") this.#lost("predecessor", why);
    this.#service.predecessorDown(link);
    // It has met a newer life of this layer.
    if (why.heard && why.code === CloseCode.fenced) void this.#end(ExitCode.done, "fenced");
  }

  #dial(url: string): Successor {
    const { layers, run, link, wire } = this.#config;
    const width = layers[this.#self.layer - 1]!.outputs;
    const { dial, random } = this.#edges;
    const maxFrameBytes = frameBytes(run.batchSize, width);
    const { dtype } = wire;
    const way = { url, called: "successor", link, maxFrameBytes, width, dtype, traffic: this.#traffic };
    return new Successor(this.#self, { ...way, dial, random }, this.#log, {
      up: (up, welcome) => this.#successorUp(up, welcome),
      heard: (frame) => this.#service.fromSuccessor(frame),
      down: (down, why) => this.#successorDown(down, why),
      fenced: () => void this.#end(ExitCode.done, "fenced"),
      hopeless: () => void this.#end(ExitCode.cannotStart, "cannot work with this successor"),
    });
  }

  #successorUp(link: Link, { from, incarnation, need }: WelcomeFrame): void {
    this.#log.info({ neighbour: nameOf(from), theirIncarnation: incarnation, need }, "linked");
    this.#telling.event("linked", `linked to ${nameOf(from)}, its life ${incarnation}`);
    this.#service.successorUp(link, need);
    if (this.#phase === "releasing") this.#passRelease(link);
  }

  #successorDown(link: Link, why: Why): void {
    if (this.#phase === "running") this.#lost("successor", why);
    this.#service.successorDown(link);
    // Who was not heard to have read the release is told again.
    if (this.#phase === "releasing" && why.confirmed) void this.#end(ExitCode.done, "done");
  }

  #lost(who: "predecessor" | "successor", why: Why): void {
    this.#log.warn({ ...why, batch: this.#lineage.cursor }, `lost ${who}`);
    this.#telling.event("lost", `lost ${who}: ${why.code} ${why.reason}`.trim());
  }

  /** What there is to wait for before this layer can learn; undefined if nothing. */
  get #lacks(): string | undefined {
    const { layer } = this.#self;
    if (!this.#predecessor.hasMet) return `${nameOf(layer - 1)} has not come yet`;
    const hasMetAll = !this.#successor || this.#successor.hasMet;
    return hasMetAll ? undefined : `${nameOf(layer + 1)} was not reached yet`;
  }

  // — learning —

  #saveFinal(onDurable: () => void): void {
    const durable = () => {
      this.#leaveWhenAlone(FORGOTTEN_MS);
      onDurable();
    };
    void this.#saver.saveFinal(() => this.#service.test, durable);
  }

  // — being told —

  #obedient(): CommandTarget {
    return {
      log: this.#log,
      batch: this.#lineage.cursor,
      isPaused: this.#service.standing === "paused",
      setPaused: (isPaused) => this.#service.pause(isPaused),
      event: (name, text) => this.#telling.event(name, text),
      save: () => void this.#saver.saveNow(),
      crash: () => this.#finish(1),
      stop: (why, code) => void this.stop(why, code),
    };
  }

  // — the end —

  #released(): void {
    if (this.#phase !== "running") return;
    this.#phase = "releasing";
    if (!this.#successor) return void this.#end(ExitCode.done, "done");
    this.#timers.after(RELEASE_MS, () => void this.#end(ExitCode.done, "done"));
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
    this.#timers.every(REPORT_MS, look);
  }

  /** Saves what has been learnt, and ends. */
  async stop(why: string, code: number = ExitCode.done): Promise<void> {
    if (this.#phase === "stopping") return;
    this.#log.info({ why, batch: this.#lineage.cursor }, "stopping");
    this.#phase = "stopping";
    void this.#telling.tell("stopping");
    void this.#dropLinks();
    if (this.#lineage.cursor > this.#lineage.durable) await this.#saveLast();
    await this.#end(code, "stopped");
  }

  /** A store that does not answer is not waited for longer than whoever stops us waits. */
  #saveLast(): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.after(LAST_SAVE_MS, resolve);
      void this.#saver.save().then(resolve);
    });
  }

  #mustEnd(error: Replaced | CheckpointError): Promise<void> | void {
    return error instanceof Replaced ? this.#end(ExitCode.done, "fenced") : this.#poisoned(error);
  }

  /** Saves nothing: what it holds is what ran away. */
  #poisoned(error: Error): void {
    this.#log.error({ err: error, batch: this.#lineage.cursor, durable: this.#lineage.durable }, "poisoned");
    this.#telling.event("poisoned", error.message);
    void this.#end("poisoned", "rolling back");
  }

  async #dropLinks(code: CloseCode = CloseCode.goingAway, reason = "stopping"): Promise<void> {
    const closed = [this.#listener, this.#successor].map((each) => each?.close(code, reason));
    await Promise.all(closed);
  }

  async #end(ending: Ending, message: string): Promise<void> {
    if (!this.#timers.end()) return;
    if (this.#phase === "running") this.#phase = "stopping";
    // A predecessor that has passed the release on takes "done" for a sign that it was read; "going away" is none.
    const dropped = message === "done" ? this.#dropLinks(CloseCode.done, "finished") : this.#dropLinks();
    const { applied, digest } = this.#lineage.report();
    await this.#telling.tell(message === "done" ? "finished" : "stopping");
    this.#log[isExpected(ending) ? "info" : "error"]({ applied, digest }, message);
    await this.#telling.end(ending, message);
    // The next life listens at the same port.
    if (ending === "poisoned") await dropped;
    this.#finish(ending);
  }
}
