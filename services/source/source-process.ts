import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { DataSet } from "../../shared/data/data-set.ts";
import {
  initialSource,
  type SourceEffect,
  type SourceEvent,
  type SourceRules,
  type SourceState,
  stepSource,
} from "../../shared/delivery/source-delivery.ts";
import { frameBytes } from "../../shared/link/limits.ts";
import type { Link, Traffic, Why } from "../../shared/link/link.ts";
import type { Listener } from "../../shared/link/listen.ts";
import type { Config } from "../../shared/run/config.ts";
import { configHash } from "../../shared/run/config-hash.ts";
import { claimIncarnation } from "../../shared/run/incarnation.ts";
import { Meter } from "../../shared/run/meter.ts";
import type { EventName } from "../../shared/run/record-lines.ts";
import { batchOf, snapshotName } from "../../shared/run/snapshot-name.ts";
import { ExitCode, type Progress, type Telemetry, type WorkerState } from "../../shared/run/telemetry.ts";
import { Unsaid } from "../../shared/run/unsaid.ts";
import type { WorkerOptions } from "../../shared/run/worker-options.ts";
import {
  type BackFrame,
  CloseCode,
  type FinishedFrame,
  type SnapshotFrame,
  type WelcomeFrame,
} from "../../shared/wire/frames.ts";
import { goodbyeOf, isAsWished } from "../leave.ts";
import { LogPace } from "../log-pace.ts";
import { type Obedient, obey } from "../obey.ts";
import { Office } from "../office.ts";
import { readiness } from "../readiness.ts";
import { Reporter } from "../reporter.ts";
import type { Self } from "../self.ts";
import { Successor } from "../successor.ts";
import type { WorkerFigures } from "../worker-metrics.ts";
import type { World } from "../world.ts";
import { frameOf } from "./batch-frames.ts";
import { beginning, isOver, type Summary, writeSummary } from "./record.ts";
import { Snapshots } from "./snapshots.ts";

export interface SourceEdges extends World {
  readonly data: DataSet;
  /** `hear` gets every line too. */
  readonly log: (incarnation: number, hear?: (line: string) => void) => Logger;
  readonly tell: (telemetry: Telemetry) => Promise<void>;
  readonly random: () => number;
  readonly pid: number;
  readonly nodeVersion: string;
}

type SourceOptions = WorkerOptions & { readonly record: string; readonly successor: string };

const REPORT_MS = 500;
const RETRY_MS = 1000;
const LOOK_AGAIN_MS = 50;
/** How long layer 1 is waited for when the run is over. */
const RELEASE_MS = 15_000;

/**
 * Feeds the chain. It keeps no state that a crash could lose: the first layer's welcome says where to go on, and the
 * run's folder of which batches there is a snapshot.
 */
export class SourceProcess {
  readonly #config: Config;
  readonly #options: SourceOptions;
  readonly #edges: SourceEdges;
  readonly #log: Logger;
  readonly #self: Self;
  readonly #office: Office;
  readonly #startedAt: Date;
  readonly #rules: SourceRules;
  readonly #meter: Meter;
  readonly #reporter: Reporter | undefined;
  readonly #traffic: Traffic = { sent: 0, received: 0 };
  /** Said last to whoever started it. */
  #progress: Progress;
  #hasBegun = false;
  /** Highest batch this life has sent. */
  #sent = -1;
  readonly #snapshots: Snapshots;
  #state: SourceState;
  #link: Link | undefined;
  /** What layer 1 lacks, while nothing is sent to it yet. */
  #awaitedNeed: number | undefined;
  readonly #listener: Listener;
  #successor: Successor | undefined;
  #endReports: (() => void) | undefined;
  /** "recording": every layer has finished, and the record is not durable yet. */
  #phase: "running" | "recording" | "finished" | "stopping" = "running";
  readonly #pace: LogPace;
  /** Why the run's record cannot be written. */
  #alarm: string | undefined;
  #finish!: (code: number) => void;
  /** The exit code, once everything is closed. */
  readonly ended: Promise<number>;

  /** Rejects if it cannot ever start. Where the run is over already, it only lets go whoever is still there. */
  static async start(config: Config, options: SourceOptions, edges: SourceEdges): Promise<SourceProcess> {
    let source: SourceProcess | undefined;
    const refusal = { code: CloseCode.mismatch, reason: "nobody comes before the source" };
    // First: whoever cannot have the port must not end the one who lives in the folder by claiming it.
    const listener = await edges.listen({
      host: options.host,
      port: options.port,
      link: config.link,
      maxFrameBytes: frameBytes(1, 1),
      routes: {
        "/healthz": () => ({ status: 200, body: "ok\n" }),
        "/readyz": () => readiness(source ? source.#lacks : "starting"),
        "/metrics": async () => (await import("../worker-metrics.ts")).workerMetrics(source?.figures),
      },
      answer: () => refusal,
      onUp: () => undefined,
      onFrame: () => undefined,
      onDown: () => undefined,
    });
    source = await SourceProcess.#claim(config, options, edges, listener).catch((error) => {
      void listener.close();
      throw error;
    });
    source.#open();
    return source;
  }

  static async #claim(
    config: Config,
    options: SourceOptions,
    edges: SourceEdges,
    listener: Listener,
  ): Promise<SourceProcess> {
    const incarnation = await claimIncarnation(options.state, edges.disk);
    const unsaid = options.hub && edges.hub ? new Unsaid("source", incarnation) : undefined;
    const log = edges.log(incarnation, unsaid && ((text) => unsaid.say({ kind: "log", text })));
    const { data, pid } = edges;
    log.info({ data: data.name, batches: config.run.batches, seed: config.seed, pid }, "started");
    const wasOver = await isOver(options.record, options.run, config, edges.disk);
    if (wasOver) log.info({ record: options.record }, "the run was over already");
    const startedAt = await beginning(options.record, edges.date(), edges.disk);
    const place = { run: options.run, record: options.record, configHash: configHash(config) };
    const snapshots = await Snapshots.open({ ...place, layers: config.layers.length }, edges.disk);
    const life = { incarnation, log, unsaid, startedAt, listener, wasOver, snapshots };
    return new SourceProcess(config, options, edges, life);
  }

  private constructor(
    config: Config,
    options: SourceOptions,
    edges: SourceEdges,
    life: {
      readonly incarnation: number;
      readonly log: Logger;
      readonly unsaid: Unsaid | undefined;
      readonly startedAt: Date;
      readonly listener: Listener;
      readonly wasOver: boolean;
      readonly snapshots: Snapshots;
    },
  ) {
    this.#config = config;
    this.#options = options;
    this.#edges = edges;
    this.#log = life.log;
    const { incarnation } = life;
    const { batches } = config.run;
    const instance = randomUUID();
    this.#self = {
      layer: 0,
      run: options.run,
      configHash: configHash(config),
      batches,
      incarnation,
      instance,
    };
    this.#startedAt = life.startedAt;
    this.#listener = life.listener;
    if (life.wasOver) this.#phase = "finished";
    this.#snapshots = life.snapshots;
    this.#state = { ...initialSource, snapshotted: life.snapshots.newest };
    this.#pace = new LogPace(edges.now, edges.now());
    this.#office = new Office(options.state, incarnation, edges.disk);
    this.#rules = {
      batches: config.run.batches,
      window: config.delivery.window,
      evaluateEvery: config.run.evaluateEvery,
      evaluationParts: edges.data.evaluationParts(config.run.batchSize),
      snapshotEvery: config.run.snapshotEvery,
    };
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const { unsaid } = life;
    this.#meter = new Meter(edges.now(), (segment) =>
      unsaid?.segment({ ...segment, at: edges.date().getTime() }),
    );
    this.#progress = this.#newProgress();
    this.#reporter = this.#newReporter(unsaid);
  }

  #newReporter(unsaid: Unsaid | undefined): Reporter | undefined {
    const life = {
      worker: "source",
      incarnation: this.#self.incarnation,
      instance: this.#self.instance,
      port: this.#listener.port,
      kernels: "none",
      log: this.#log,
      traffic: this.#traffic,
    };
    return Reporter.begin(unsaid, life, this.#config, this.#options, this.#edges, {
      standing: () => this.#standing(),
      obey: (command) => obey(this.#obedient(), command),
    });
  }

  #open(): void {
    void this.#edges.tell({ kind: "listening", worker: "source", port: this.#listener.port });
    this.#successor = this.#dial();
    // Whoever started the life before may not have heard it from that one.
    if (this.#phase === "finished") this.#announce();
    this.#endReports = this.#edges.every(REPORT_MS, () => {
      this.#meter.endSegment(this.#edges.now());
      this.#report();
      this.#reporter?.report();
      void this.#stepDownIfReplaced();
      if (this.#state.successor === "away") void this.#lookForRecord();
    });
  }

  #announce(): void {
    void this.#edges.tell({ kind: "finished" });
    this.#letGo();
  }

  /** A former life may have brought the run to its end while this one began: then nobody comes any more. */
  async #lookForRecord(): Promise<void> {
    const { record, run } = this.#options;
    const over = await isOver(record, run, this.#config, this.#edges.disk).catch(() => false);
    if (!over || this.#phase !== "running") return;
    this.#phase = "finished";
    this.#log.info({ record }, "the run was over already");
    this.#announce();
  }

  async #stepDownIfReplaced(): Promise<"in office" | "replaced" | "unknown"> {
    const found = await this.#office.look();
    if (found === "replaced" && this.#phase === "running") await this.#end(ExitCode.done, "fenced");
    return found;
  }

  #dial(): Successor {
    const { dial, random, data } = this.#edges;
    const way = {
      url: this.#options.successor,
      called: "layer1",
      link: this.#config.link,
      // Layer 1 answers without numbers.
      maxFrameBytes: frameBytes(1, 1),
      traffic: this.#traffic,
      width: this.#config.layers[0]!.inputs,
      dtype: data.inputType,
    };
    return new Successor(this.#self, { ...way, dial, random }, this.#log, {
      up: (link, welcome) => this.#linked(link, welcome),
      heard: (frame) => this.#hear(frame),
      down: (link, why) => this.#lost(link, why),
      fenced: () => void this.#end(ExitCode.done, "fenced"),
      hopeless: () => void this.#end(ExitCode.cannotStart, "cannot work with layer1"),
    });
  }

  #linked(link: Link, { incarnation, need }: WelcomeFrame): void {
    this.#link = link;
    if (this.#phase === "finished") return this.#release(link);
    this.#log.info({ neighbour: "layer1", theirIncarnation: incarnation, need }, "linked");
    this.#begins(need);
    this.#event("linked", `linked to layer1, its life ${incarnation}, which lacks batch ${need}`);
    this.#awaitedNeed = need;
    void this.#feed(link);
  }

  /**
   * Looks at the claims first: a new life of layer 1 has met nobody, so that it would take a source for the one in office
   * which was replaced meanwhile, and remove at its barrier the share of a snapshot that only the newer source knows of.
   * Whoever claims after this has to link to this life of layer 1 too, which then hears this source no more.
   */
  async #feed(link: Link): Promise<void> {
    const standing = this.#rules.snapshotEvery > 0 ? await this.#stepDownIfReplaced() : "in office";
    if (link !== this.#link || this.#phase !== "running" || this.#awaitedNeed === undefined) return;
    // A disk that fails now and then answers later.
    if (standing === "unknown") return void this.#edges.after(LOOK_AGAIN_MS, () => void this.#feed(link));
    const need = this.#awaitedNeed;
    this.#awaitedNeed = undefined;
    this.#take({ event: "successorLinked", need });
  }

  #lost(link: Link, why: Why): void {
    if (link !== this.#link) return;
    this.#link = undefined;
    this.#awaitedNeed = undefined;
    if (this.#phase === "running") {
      this.#log.warn({ ...why }, "lost successor");
      this.#event("lost", `lost successor: ${why.code} ${why.reason}`.trim());
    }
    this.#take({ event: "successorLost" });
    // Who was not heard to have read the release is told again.
    if (this.#phase === "finished" && why.confirmed) void this.#end(ExitCode.done, "done");
  }

  #hear(frame: BackFrame): void {
    switch (frame.kind) {
      case "gradient":
        return this.#take({ event: "answered", batch: frame.batch });
      case "rewind":
        this.#log.info({ need: frame.need, next: this.#state.next }, "rewound");
        if (this.#awaitedNeed !== undefined) {
          this.#awaitedNeed = Math.min(this.#awaitedNeed, frame.need);
          return;
        }
        return this.#take({ event: "rewound", need: frame.need });
      case "snapshot":
        return void this.#saved(frame);
      case "finished":
        return void this.#conclude(frame);
    }
  }

  #take(event: SourceEvent): void {
    const [state, effects] = stepSource(this.#rules, this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: SourceEffect): void {
    const { data } = this.#edges;
    const { seed, run } = this.#config;
    switch (effect.effect) {
      case "sendBatch": {
        const batch = data.batch(seed, effect.batch, run.batchSize);
        if (effect.batch > this.#sent) this.#meter.batch(effect.batch);
        else this.#meter.again();
        this.#sent = Math.max(this.#sent, effect.batch);
        this.#link?.send(frameOf(data, batch, effect.batch));
        return;
      }
      case "sendEvaluation": {
        const part = data.evaluationPart(effect.part, run.batchSize);
        const evaluation = { part: effect.part, parts: this.#rules.evaluationParts };
        this.#link?.send(frameOf(data, part, effect.batch, evaluation));
        return;
      }
      case "sendBarrier": {
        const snapshot = snapshotName(effect.batch, this.#edges.random);
        this.#link?.send({
          kind: "barrier",
          batch: effect.batch,
          snapshot,
          kept: this.#snapshots.began(snapshot),
        });
        return;
      }
      case "end":
        this.#link?.send({ kind: "end", batches: run.batches });
        return;
      case "hangUp":
        this.#link?.close(CloseCode.badFrame, effect.reason);
    }
  }

  /** Every layer holds its share durably. A snapshot that does not come about is none; the last one stays. */
  async #saved(frame: SnapshotFrame): Promise<void> {
    try {
      const isWritten = await this.#snapshots.saved(frame, this.#edges.date(), () =>
        this.#office.require("a manifest"),
      );
      if (!isWritten) return;
      const batch = batchOf(frame.snapshot);
      this.#log.info({ batch, snapshot: frame.snapshot, ...frame.test }, "snapshot");
      this.#take({ event: "snapshotted", batch });
    } catch (error) {
      this.#log.warn({ snapshot: frame.snapshot, err: error }, "snapshot failed");
    }
  }

  // — telling —

  #event(name: EventName, text: string): void {
    const { next } = this.#state;
    this.#reporter?.event(name, text, next > 0 ? next - 1 : undefined);
  }

  /** It has no state of its own: layer 1 says where this life begins. */
  #begins(need: number): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    if (need === 0) this.#reporter?.event("began", "began with batch 0");
    else this.#reporter?.event("restored", `goes on from batch ${need - 1}, where layer1 is`, need - 1);
  }

  get #lacks(): string | undefined {
    return this.#hasBegun || this.#phase === "finished" ? undefined : "layer1 was not reached yet";
  }

  #tell(): Promise<void> {
    this.#progress = this.#newProgress();
    return this.#edges.tell(this.#progress);
  }

  get figures(): WorkerFigures {
    return { run: this.#options.run, progress: this.#standing(), traffic: this.#traffic };
  }

  #standing() {
    const { next, inFlight } = this.#state;
    const state = this.#working();
    const { window } = this.#rules;
    return { ...this.#progress, batch: next - 1, state, inFlight: inFlight.length, window };
  }

  #report(): void {
    void this.#tell();
    const progress = this.#progress;
    if (progress.perSecond === 0 || !this.#pace.allows()) return;
    this.#log.info({ batch: progress.batch, perSecond: Math.round(progress.perSecond) }, "feeding");
  }

  #working(): WorkerState {
    const { inFlight, successor, paused } = this.#state;
    if (this.#phase === "finished" || this.#phase === "stopping") return this.#phase;
    if (paused) return "paused";
    if (successor === "away") return "waiting";
    return inFlight[0]?.kind === "evaluation" ? "evaluating" : "training";
  }

  #newProgress(): Progress {
    return {
      kind: "progress",
      worker: "source",
      incarnation: this.#self.incarnation,
      state: this.#working(),
      batch: this.#state.next - 1,
      batches: this.#rules.batches,
      perSecond: this.#meter.report(this.#edges.now()).perSecond,
      ...(this.#alarm === undefined ? {} : { alarm: this.#alarm }),
    };
  }

  // — being told —

  #obedient(): Obedient {
    return {
      log: this.#log,
      batch: this.#state.next - 1,
      isPaused: this.#state.paused,
      setPaused: (isPaused) => this.#take({ event: isPaused ? "paused" : "unpaused" }),
      event: (name, text) => this.#event(name, text),
      save: () => this.#log.info("a source has nothing to save"),
      crash: () => this.#finish(1),
      stop: (why, code) => void this.stop(why, code),
    };
  }

  // — the end —

  /** Every layer holds its last batch durably: write the record, then let them go. */
  async #conclude({ reports, test }: FinishedFrame): Promise<void> {
    if (this.#phase !== "running") return;
    if (!test) return this.#log.error("finished without a test result");
    this.#phase = "recording";
    if (!(await this.#keepWriting(() => this.#writeRecord(reports, test)))) return;
    this.#phase = "finished";
    this.#log.info({ ...test, record: this.#options.record }, "finished");
    this.#event("finished", "every layer has finished, and the record is written");
    await this.#edges.tell({ kind: "finished" });
    this.#letGo();
  }

  /** Layer 1 passes it on. Should it be away for longer, it will leave by itself. */
  #letGo(): void {
    if (this.#link) this.#release(this.#link);
    this.#edges.after(RELEASE_MS, () => void this.#end(ExitCode.done, "done"));
  }

  #release(link: Link): void {
    link.send({ kind: "release" });
    link.close(CloseCode.done, "finished");
  }

  /** Again and again until it works: the layers wait, and room on a disk comes back. False if this life ended before. */
  async #keepWriting(write: () => Promise<void>): Promise<boolean> {
    while (this.#phase === "recording") {
      try {
        await write();
        return this.#phase === "recording";
      } catch (error) {
        this.#alarm = (error as Error).message;
        this.#log.error({ err: error }, "cannot write the run's record");
        await new Promise<void>((resolve) => this.#edges.after(RETRY_MS, resolve));
      }
    }
    return false;
  }

  #writeRecord(layers: FinishedFrame["reports"], test: NonNullable<FinishedFrame["test"]>): Promise<void> {
    const wallSeconds = (this.#edges.date().getTime() - this.#startedAt.getTime()) / 1000;
    const summary: Summary = {
      run: this.#options.run,
      config: this.#config,
      seed: this.#config.seed,
      startedAt: this.#startedAt.toISOString(),
      wallSeconds,
      batches: this.#config.run.batches,
      test,
      layers,
      source: { restarts: this.#self.incarnation - 1 },
      versions: { node: this.#edges.nodeVersion },
    };
    return writeSummary(this.#options.record, summary, this.#edges.disk);
  }

  async stop(why: string, code: number = ExitCode.done): Promise<void> {
    if (this.#phase === "stopping") return;
    this.#log.info({ why, batch: this.#state.next - 1 }, "stopping");
    this.#phase = "stopping";
    await this.#end(code, "stopped");
  }

  async #end(code: number, message: string): Promise<void> {
    if (!this.#endReports) return;
    this.#endReports();
    this.#endReports = undefined;
    void this.#listener.close(CloseCode.goingAway, message);
    void this.#successor?.close(CloseCode.goingAway, message);
    await this.#tell();
    this.#log[isAsWished(code) ? "info" : "error"]({ batch: this.#state.next - 1 }, message);
    if (message === "stopped" || message === "fenced") this.#event(message, message);
    this.#meter.endSegment(this.#edges.now());
    await this.#reporter?.end(goodbyeOf(code, message));
    this.#finish(code);
  }
}
