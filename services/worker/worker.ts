import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { CheckpointError } from "../../shared/checkpoint/checkpoint.ts";
import { Claim } from "../../shared/checkpoint/claim.ts";
import { configHash } from "../../shared/config/hash.ts";
import type { Link, Why } from "../../shared/link/link.ts";
import type { EventName } from "../../shared/record/lines.ts";
import type { Command, LookMessage, QuestionMessage } from "../../shared/telemetry/messages.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { type BackFrame, CloseCode, type WelcomeFrame } from "../../shared/wire/frames.ts";
import type { ClaimedLife } from "./claim-life.ts";
import { runCommand } from "./commands.ts";
import { type Ending, hasNextLife, isExpected } from "./exit.ts";
import { type Identity, nameOf } from "./identity.ts";
import type { OpenPort, Start } from "./listen-first.ts";
import { LogAllowance } from "./log-allowance.ts";
import { paceOf } from "./pace.ts";
import { type Status, StatusReporter } from "./status-reporter.ts";
import { type Route, Successor } from "./successor.ts";
import { Timers } from "./timers.ts";

const REPORT_MS = 500;
const MOST_LOOK_MS = 1_000;
/** A successor that was released closes the link when it has saved that; one that does not is asked to. */
const CONFIRM_MS = 5_000;

/** What a layer does in its worker's life, and the source does otherwise. */
export interface Role extends Status {
  /** The source is 0. */
  readonly layer: number;
  /** What computes. */
  readonly kernels: string;
  pause(isPaused: boolean): void;
  save(): void;
  /** It ends because it was told to: what it has learnt is saved when this resolves. */
  saveLast(): Promise<void>;
  /** What its log says of it last. */
  lastWords(): object;
  /** Deals with a question of the hub's; undefined where it takes none. */
  ask?(question: QuestionMessage): void;
  /** Tells the hub what it saw of a batch when that is over, or at once why it cannot. */
  look(look: LookMessage): void;
  successorUp(link: Link, welcome: WelcomeFrame): void;
  fromSuccessor(frame: BackFrame): void;
  /** A link that was up. */
  successorDown(link: Link, why: Why): void;
}

/** Whether the other end has read all that was sent, the release too. */
export function isConfirmed({ code, heard, confirmed }: Why): boolean {
  return confirmed === true || (heard === true && code === CloseCode.done);
}

/** One life of a worker, from its claim to its exit code: all of it that a layer and the source have in common. */
export class Worker {
  readonly self: Identity;
  readonly log: Logger;
  readonly claim: Claim;
  readonly timers: Timers;
  readonly status: StatusReporter;
  /** The exit code, once everything is closed; or that its numbers ran away, and a life from the last checkpoint is due. */
  readonly ended: Promise<Ending>;
  readonly #role: Role;
  readonly #start: Start;
  readonly #port: OpenPort;
  /** Links come and go many times a second where every activation is refused. */
  readonly #lines: { readonly linked: LogAllowance; readonly lost: LogAllowance };
  #successor: Successor | undefined;
  /** While it is there. */
  #link: Link | undefined;
  #delayMs = 0;
  #isStopping = false;
  #finish!: (ending: Ending) => void;

  constructor(role: Role, start: Start, life: ClaimedLife, port: OpenPort) {
    const { config, options, environment } = start;
    const { incarnation } = life;
    const about = { run: options.run, configHash: configHash(config), batches: config.run.batches };
    this.self = { layer: role.layer, ...about, incarnation, instance: randomUUID() };
    this.log = life.log;
    this.claim = new Claim(options.state, incarnation, environment.disk);
    this.timers = new Timers(environment);
    this.#lines = { linked: new LogAllowance(environment.now), lost: new LogAllowance(environment.now) };
    this.#role = role;
    this.#start = start;
    this.#port = port;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.status = new StatusReporter(start, this.self, life, port, role, {
      obey: (command) => this.#obey(command),
      ask: role.ask && ((question) => role.ask?.(question)),
      look: (look) => role.look(look),
    });
  }

  /** Tells that it is there, and goes on telling how it stands. */
  open(): void {
    void this.status.tell();
    const worker = nameOf(this.self.layer);
    void this.#start.environment.tell({ kind: "listening", worker, port: this.port });
    this.timers.every(REPORT_MS, () => this.status.report());
    const { lookMs } = paceOf(this.#start);
    this.timers.every(lookMs, () => void this.#stepDownIfReplaced(this.claim.glance()));
  }

  get port(): number {
    return this.#port.listener.port;
  }

  /** It was told to end, or is ending. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  get hasSuccessor(): boolean {
    return this.#successor !== undefined;
  }

  /** In this life. */
  get hasMetSuccessor(): boolean {
    return this.#successor?.hasMet ?? false;
  }

  now(): number {
    return this.#start.environment.now();
  }

  event(name: EventName, text: string, batch?: number): void {
    this.status.event(name, text, batch);
  }

  /** Looks at the claims of the state folder: where a newer life has claimed it, this one ends. */
  async #stepDownIfReplaced(look: ReturnType<Claim["look"]>): Promise<void> {
    // A disk that fails for a while is no reason to stop learning.
    if ((await look) === "replaced") await this.end(ExitCode.done, "fenced");
  }

  // — links —

  /**
   * Looks at its claim before it meets anybody: a neighbour that begins anew has met no life of this worker, and would
   * believe one that was replaced a moment ago. A disk that owes the answer for too long is no reason to meet nobody.
   */
  lookBeforeMeeting(): Promise<void> {
    return this.#stepDownIfReplaced(this.claim.lookWithin(MOST_LOOK_MS, this.timers));
  }

  dial(route: Pick<Route, "url" | "called" | "maxFrameBytes" | "width" | "dtype">): void {
    const { config, environment } = this.#start;
    const { dial, now, random } = environment;
    const full = { ...route, link: config.link, traffic: this.#port.traffic, dial, now, random };
    this.#successor = new Successor(this.self, full, this.log, {
      up: (link, welcome) => {
        this.#link = link;
        link.delay(this.#delayMs);
        this.#role.successorUp(link, welcome);
      },
      heard: (frame) => this.#role.fromSuccessor(frame),
      down: (link, why) => this.#role.successorDown(link, why),
      beforeHello: () => this.lookBeforeMeeting(),
      fenced: () => void this.end(ExitCode.done, "fenced"),
      hopeless: () => void this.end(ExitCode.cannotStart, `cannot work with this ${route.called}`),
    });
  }

  linked(neighbour: number, theirIncarnation: number, about: { readonly need?: number } = {}): void {
    const line = this.#lines.linked.take();
    if (!line) return;
    const name = nameOf(neighbour);
    this.log.info({ neighbour: name, theirIncarnation, ...about, ...line }, "linked");
    this.event("linked", `linked to ${name}, its life ${theirIncarnation}`);
  }

  lost(side: "predecessor" | "successor", why: Why): void {
    const line = this.#lines.lost.take();
    if (!line) return;
    this.log.warn({ ...why, batch: this.#role.cursor, ...line }, `lost ${side}`);
    this.event("lost", `lost ${side}: ${why.code} ${why.reason}`.trim());
  }

  /** Tells the successor that the run is over. It was heard if this link goes down so that `isConfirmed`. */
  passRelease(successor: Link): void {
    successor.send({ kind: "release" });
    this.timers.after(CONFIRM_MS, () => successor.close(CloseCode.done, "finished"));
  }

  // — the end —

  /** Saves what has been learnt, and ends. */
  async stop(why: string, code: number = ExitCode.done): Promise<void> {
    if (this.#isStopping) return;
    this.log.info({ why, batch: this.#role.cursor }, "stopping");
    this.#isStopping = true;
    void this.status.tell("stopping");
    void this.#dropLinks();
    await this.#role.saveLast();
    await this.end(code, "stopped");
  }

  /** This life must not go on: its numbers ran away, or a newer one has claimed its folder. */
  mustEnd(error: Error): Promise<void> {
    if (!(error instanceof CheckpointError)) return this.end(ExitCode.done, "fenced");
    return this.poisoned(error);
  }

  /** Saves nothing: what it holds is what ran away. */
  poisoned(error: Error): Promise<void> {
    const { cursor: batch, durable } = this.#role;
    this.log.error({ err: error, batch, durable }, "poisoned");
    this.event("poisoned", error.message);
    return this.end("poisoned", "rolling back");
  }

  /** A neighbour lacks what this life does not keep: an earlier checkpoint is gone on from. */
  goBack(to: number): Promise<void> {
    const { cursor: batch, durable } = this.#role;
    this.log.warn({ batch, durable, to }, "going back");
    this.event("rewound", `goes back, as a neighbour lacks batch ${to}`);
    return this.end("going back", "goes back");
  }

  async end(ending: Ending, message: string): Promise<void> {
    if (!this.timers.end()) return;
    this.#isStopping = true;
    const isDone = message === "done";
    // A predecessor that has passed the release on takes "done" for a sign that it was read; "going away" is none.
    const dropped = isDone ? this.#dropLinks(CloseCode.done, "finished") : this.#dropLinks();
    const lastWords = this.#role.lastWords();
    await this.status.tell(isDone ? "finished" : "stopping");
    this.log[isExpected(ending) ? "info" : "error"](lastWords, message);
    await this.status.end(ending, message);
    // The next life listens at the same port; and what a neighbour waits for may be lost where a container's network ends
    // with this process. A close that is not answered takes two seconds.
    if (hasNextLife(ending) || isDone) await dropped;
    this.#finish(ending);
  }

  async #dropLinks(code: CloseCode = CloseCode.goingAway, reason = "stopping"): Promise<void> {
    const open = [this.#port.listener, this.#successor];
    await Promise.all(open.map((each) => each?.close(code, reason)));
  }

  #obey(command: Command): void {
    const role = this.#role;
    const target = {
      log: this.log,
      batch: role.cursor,
      isPaused: role.state === "paused",
      setPaused: (isPaused: boolean) => role.pause(isPaused),
      delayMs: this.#successor && this.#delayMs,
      setDelay: (ms: number) => {
        this.#delayMs = ms;
        this.#link?.delay(ms);
      },
      event: (name: EventName, text: string) => this.event(name, text),
      save: () => role.save(),
      kill: () => this.#finish(1),
      stop: (why: string, code: number) => void this.stop(why, code),
    };
    runCommand(target, command);
  }
}
