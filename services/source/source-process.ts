import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { Claim } from "../../shared/checkpoint/claim.ts";
import type { Config } from "../../shared/config/config.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { configHash } from "../../shared/config/hash.ts";
import { frameBytes } from "../../shared/link/limits.ts";
import type { Link, Traffic, Why } from "../../shared/link/link.ts";
import type { Listener } from "../../shared/link/listen.ts";
import type { EventName } from "../../shared/record/lines.ts";
import type { Summary } from "../../shared/record/summary.ts";
import type { PendingLines } from "../../shared/telemetry/pending-lines.ts";
import { ExitCode, type Progress, type WorkerState } from "../../shared/telemetry/telemetry.ts";
import { CloseCode, type FinishedFrame, type WelcomeFrame } from "../../shared/wire/frames.ts";
import { type CommandTarget, runCommand } from "../worker/commands.ts";
import { goodbyeOf, isExpected } from "../worker/exit.ts";
import type { Identity } from "../worker/identity.ts";
import { LogThrottle } from "../worker/log-throttle.ts";
import { Meter } from "../worker/meter.ts";
import type { WorkerFigures } from "../worker/metrics.ts";
import { readiness } from "../worker/readiness.ts";
import { Reporter } from "../worker/reporter.ts";
import { Successor } from "../worker/successor.ts";
import { Timers } from "../worker/timers.ts";
import { isOver, writeSummary } from "./record.ts";
import { SourceService } from "./source-service.ts";
import { type SourceEdges, type SourceOptions, type Startup, startUp } from "./startup.ts";

const REPORT_MS = 500;
const RETRY_MS = 1000;
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
  readonly #self: Identity;
  readonly #office: Claim;
  readonly #startedAt: Date;
  readonly #service: SourceService;
  readonly #meter: Meter;
  readonly #reporter: Reporter | undefined;
  readonly #traffic: Traffic = { sent: 0, received: 0 };
  /** Said last to whoever started it. */
  #progress: Progress;
  #hasBegun = false;
  /** Whether the run is over, which takes a while where a store is asked. */
  #isLooking = false;
  readonly #listener: Listener;
  #successor: Successor | undefined;
  readonly #timers: Timers;
  /** "recording": every layer has finished, and the record is not durable yet. */
  #phase: "running" | "recording" | "finished" | "stopping" = "running";
  readonly #pace: LogThrottle;
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
        "/metrics": async () => (await import("../worker/metrics.ts")).workerMetrics(source?.figures),
      },
      answer: () => refusal,
      onUp: () => undefined,
      onFrame: () => undefined,
      onDown: () => undefined,
    });
    try {
      const beginning = await startUp(config, options, edges);
      source = new SourceProcess(config, options, edges, beginning, listener);
    } catch (error) {
      void listener.close();
      throw error;
    }
    source.#open();
    return source;
  }

  private constructor(
    config: Config,
    options: SourceOptions,
    edges: SourceEdges,
    beginning: Startup,
    listener: Listener,
  ) {
    this.#config = config;
    this.#options = options;
    this.#edges = edges;
    const { incarnation, log, unsaid, snapshots } = beginning;
    this.#log = log;
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
    this.#startedAt = beginning.startedAt;
    this.#listener = listener;
    if (beginning.wasOver) this.#phase = "finished";
    this.#timers = new Timers(edges);
    this.#pace = new LogThrottle(edges.now, edges.now());
    this.#office = new Claim(options.state, incarnation, edges.disk);
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#meter = new Meter(edges.now(), (segment) =>
      unsaid?.segment({ ...segment, at: edges.date().getTime() }),
    );
    this.#service = new SourceService(config, edges.data, this.#meter, snapshots, {
      log,
      random: edges.random,
      date: edges.date,
      after: (ms, run) => this.#timers.after(ms, run),
      stepDownIfReplaced: () => this.#stepDownIfReplaced(),
      requireOffice: () => this.#office.require("a manifest"),
      isRunning: () => this.#phase === "running",
      finished: (frame) => void this.#conclude(frame),
    });
    this.#progress = this.#newProgress();
    this.#reporter = this.#newReporter(unsaid);
  }

  #newReporter(unsaid: PendingLines | undefined): Reporter | undefined {
    const life = {
      worker: "source" as const,
      incarnation: this.#self.incarnation,
      instance: this.#self.instance,
      port: this.#listener.port,
      kernels: "none",
      log: this.#log,
      traffic: this.#traffic,
    };
    return Reporter.begin(unsaid, life, this.#config, this.#options, this.#edges, {
      standing: () => this.#standing(),
      obey: (command) => runCommand(this.#obedient(), command),
    });
  }

  #open(): void {
    void this.#edges.tell({ kind: "listening", worker: "source", port: this.#listener.port });
    this.#successor = this.#dial();
    // Whoever started the life before may not have heard it from that one.
    if (this.#phase === "finished") this.#announce();
    this.#timers.every(REPORT_MS, () => {
      this.#meter.endSegment(this.#edges.now());
      this.#report();
      this.#reporter?.report();
      void this.#stepDownIfReplaced(() => this.#office.glance());
      if (this.#service.isAlone) void this.#lookForRecord();
    });
  }

  #announce(): void {
    void this.#edges.tell({ kind: "finished" });
    this.#letGo();
  }

  /** A former life may have brought the run to its end while this one began: then nobody comes any more. */
  async #lookForRecord(): Promise<void> {
    const { record, run } = this.#options;
    if (this.#isLooking) return;
    this.#isLooking = true;
    const over = await isOver(record, run, this.#config, this.#edges.disk).catch(() => false);
    this.#isLooking = false;
    if (!over || this.#phase !== "running") return;
    this.#phase = "finished";
    this.#log.info({ record }, "the run was over already");
    this.#announce();
  }

  async #stepDownIfReplaced(look: Claim["look"] = () => this.#office.look()): ReturnType<Claim["look"]> {
    const found = await look();
    if (found === "replaced" && this.#phase === "running") await this.#end(ExitCode.done, "fenced");
    return found;
  }

  #dial(): Successor {
    const { dial, random } = this.#edges;
    const way = {
      url: this.#options.successor,
      called: "layer1",
      link: this.#config.link,
      // Layer 1 answers without numbers.
      maxFrameBytes: frameBytes(1, 1),
      traffic: this.#traffic,
      width: this.#config.layers[0]!.inputs,
      dtype: dataFacts(this.#config.data).inputType,
    };
    return new Successor(this.#self, { ...way, dial, random }, this.#log, {
      up: (link, welcome) => this.#linked(link, welcome),
      heard: (frame) => this.#service.fromSuccessor(frame),
      down: (link, why) => this.#lost(link, why),
      fenced: () => void this.#end(ExitCode.done, "fenced"),
      hopeless: () => void this.#end(ExitCode.cannotStart, "cannot work with layer1"),
    });
  }

  #linked(link: Link, { incarnation, need }: WelcomeFrame): void {
    this.#service.successorUp(link);
    if (this.#phase === "finished") return this.#release(link);
    this.#log.info({ neighbour: "layer1", theirIncarnation: incarnation, need }, "linked");
    this.#begins(need);
    this.#event("linked", `linked to layer1, its life ${incarnation}, which lacks batch ${need}`);
    this.#service.feed(need);
  }

  #lost(link: Link, why: Why): void {
    if (link !== this.#service.successor) return;
    if (this.#phase === "running") {
      this.#log.warn({ ...why }, "lost successor");
      this.#event("lost", `lost successor: ${why.code} ${why.reason}`.trim());
    }
    this.#service.successorDown(link);
    // Who was not heard to have read the release is told again.
    if (this.#phase === "finished" && why.confirmed) void this.#end(ExitCode.done, "done");
  }

  // — telling —

  #event(name: EventName, text: string): void {
    const { cursor } = this.#service;
    this.#reporter?.event(name, text, cursor < 0 ? undefined : cursor);
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
    const { cursor: batch, inFlight } = this.#service;
    const { window } = this.#config.delivery;
    return { ...this.#progress, batch, state: this.#working(), inFlight, window };
  }

  #report(): void {
    void this.#tell();
    const progress = this.#progress;
    if (progress.perSecond === 0 || !this.#pace.allows()) return;
    this.#log.info({ batch: progress.batch, perSecond: Math.round(progress.perSecond) }, "feeding");
  }

  #working(): WorkerState {
    return this.#phase === "finished" || this.#phase === "stopping" ? this.#phase : this.#service.standing;
  }

  #newProgress(): Progress {
    return {
      kind: "progress",
      worker: "source",
      incarnation: this.#self.incarnation,
      state: this.#working(),
      batch: this.#service.cursor,
      batches: this.#self.batches,
      perSecond: this.#meter.report(this.#edges.now()).perSecond,
      ...(this.#alarm === undefined ? {} : { alarm: this.#alarm }),
    };
  }

  // — being told —

  #obedient(): CommandTarget {
    return {
      log: this.#log,
      batch: this.#service.cursor,
      isPaused: this.#service.standing === "paused",
      setPaused: (isPaused) => this.#service.pause(isPaused),
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
    const { successor } = this.#service;
    if (successor) this.#release(successor);
    this.#timers.after(RELEASE_MS, () => void this.#end(ExitCode.done, "done"));
  }

  #release(link: Link): void {
    link.send({ kind: "release" });
    link.close(CloseCode.done, "finished");
  }

  /**
   * Again and again until it works: the layers wait, and room on a disk comes back. False if this life ended while it was
   * written; who waits to try again when the life ends, waits for nothing any more.
   */
  async #keepWriting(write: () => Promise<void>): Promise<boolean> {
    while (this.#phase === "recording") {
      try {
        await write();
        return this.#phase === "recording";
      } catch (error) {
        this.#alarm = (error as Error).message;
        this.#log.error({ err: error }, "cannot write the run's record");
        await new Promise<void>((resolve) => this.#timers.after(RETRY_MS, resolve));
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
    this.#log.info({ why, batch: this.#service.cursor }, "stopping");
    this.#phase = "stopping";
    await this.#end(code, "stopped");
  }

  async #end(code: number, message: string): Promise<void> {
    if (!this.#timers.end()) return;
    void this.#listener.close(CloseCode.goingAway, message);
    void this.#successor?.close(CloseCode.goingAway, message);
    await this.#tell();
    this.#log[isExpected(code) ? "info" : "error"]({ batch: this.#service.cursor }, message);
    if (message === "stopped" || message === "fenced") this.#event(message, message);
    this.#meter.endSegment(this.#edges.now());
    await this.#reporter?.end(goodbyeOf(code, message));
    this.#finish(code);
  }
}
