import type { Logger } from "pino";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import type { Config } from "../../shared/config/config.ts";
import type { Traffic } from "../../shared/link/link.ts";
import type { EventName } from "../../shared/record/lines.ts";
import type { WorkerName } from "../../shared/record/worker-name.ts";
import type { DialHub, HubDialler, HubLink } from "../../shared/telemetry/dial-hub.ts";
import {
  type AnswerMessage,
  COMMANDS,
  type Command,
  type Goodbye,
  type Introduction,
  type LookMessage,
  type QuestionMessage,
  type SeenMessage,
  type Standing,
  TELEMETRY_PROTOCOL,
} from "../../shared/telemetry/messages.ts";
import type { PendingLines } from "../../shared/telemetry/pending-lines.ts";
import type { TestResult } from "../../shared/wire/frames.ts";
import type { WorkerOptions } from "./options.ts";

/** What it takes to tell a hub. */
export interface HubEdge {
  readonly dial: DialHub;
  readonly rssBytes: () => number;
  readonly nodeVersion: string;
}

interface ReporterEdges {
  readonly hub?: HubEdge | undefined;
  readonly date: () => Date;
  readonly random: () => number;
  readonly pid: number;
  after(ms: number, run: () => void): () => void;
}

/** Which worker speaks, and in which life. */
interface Speaker {
  readonly worker: WorkerName;
  readonly incarnation: number;
  readonly instance: string;
  readonly port: number;
  readonly kernels: string;
  readonly log: Logger;
  readonly traffic: Traffic;
}

/** The worker that is spoken of. */
export interface ReportedWorker {
  standing(): Omit<Standing["progress"], "bytesSent" | "bytesReceived" | "rssBytes">;
  obey(command: Command): void;
  /** Undefined where this worker takes no questions. */
  readonly ask: ((question: QuestionMessage) => void) | undefined;
  look(look: LookMessage): void;
}

/** Said and not taken by the network; beyond it nothing more is said for now. */
const MOST_BUFFERED_BYTES = 256 * 1024;
/** At the end, for the hub to acknowledge the last lines. */
const FAREWELL_MS = 500;

/** Tells a hub of this life what is to be said, whenever it reports, and takes its commands. Training never waits for it. */
export class Reporter {
  readonly #unsaid: PendingLines;
  readonly #speaker: Speaker;
  readonly #edges: ReporterEdges & { readonly hub: HubEdge };
  readonly #worker: ReportedWorker;
  readonly #dialler: HubDialler;
  readonly #control: boolean;
  #hub: HubLink | undefined;
  #onEmpty: (() => void) | undefined;

  /** Undefined if there is no hub. */
  static begin(
    unsaid: PendingLines | undefined,
    speaker: Speaker,
    config: Config,
    options: WorkerOptions,
    edges: ReporterEdges,
    reported: ReportedWorker,
  ): Reporter | undefined {
    const { hub } = edges;
    if (options.hub === undefined || hub === undefined || unsaid === undefined) return undefined;
    return new Reporter(
      unsaid,
      speaker,
      config,
      { ...options, hub: options.hub },
      { ...edges, hub },
      reported,
    );
  }

  private constructor(
    unsaid: PendingLines,
    speaker: Speaker,
    config: Config,
    options: WorkerOptions & { readonly hub: string },
    edges: ReporterEdges & { readonly hub: HubEdge },
    reported: ReportedWorker,
  ) {
    this.#unsaid = unsaid;
    this.#speaker = speaker;
    this.#edges = edges;
    this.#worker = reported;
    this.#control = options.control;
    unsaid.onWords = () => this.#pump();
    this.#dialler = edges.hub.dial({
      url: options.hub,
      link: config.link,
      random: edges.random,
      introduction: introductionOf(speaker, config, options, edges, reported.ask !== undefined),
      onUp: (hub) => this.#up(hub),
      onAcknowledged: (seq) => this.#acknowledged(seq),
      onCommand: (command, refusal) => this.#command(command, refusal),
      onQuestion: (question, refusal) => this.#question(question, refusal),
      onLook: (look, refusal) => this.#look(look, refusal),
      onDown: () => {
        this.#hub = undefined;
      },
    });
  }

  /** What there is to say by now and how this life stands, together; to be called a few times a second. */
  report(): void {
    if (!this.#hub) return;
    this.#pump();
    if (this.#isBusy(this.#hub)) return;
    const { sent: bytesSent, received: bytesReceived } = this.#speaker.traffic;
    const rssBytes = this.#edges.hub.rssBytes();
    const progress = { ...this.#worker.standing(), bytesSent, bytesReceived, rssBytes };
    this.#hub.send({ kind: "standing", progress, dropped: this.#unsaid.dropped });
  }

  event(name: EventName, text: string, batch?: number): void {
    const { worker, incarnation } = this.#speaker;
    const at = this.#edges.date().getTime();
    this.#unsaid.say({
      kind: "event",
      worker,
      incarnation,
      at,
      name,
      ...(batch !== undefined && { batch }),
      text,
    });
  }

  evaluation(batch: number, test: TestResult): void {
    const { worker, incarnation } = this.#speaker;
    this.#unsaid.say({
      kind: "evaluation",
      worker,
      incarnation,
      at: this.#edges.date().getTime(),
      batch,
      test,
    });
  }

  /** At once, or never. */
  answer(answer: Omit<AnswerMessage, "kind">): void {
    if (this.#hub && !this.#isBusy(this.#hub)) this.#hub.send({ kind: "answer", ...answer });
  }

  /** As an answer. */
  seen(seen: Omit<SeenMessage, "kind">): void {
    if (this.#hub && !this.#isBusy(this.#hub)) this.#hub.send({ kind: "seen", ...seen });
  }

  /** Says what is left, for a moment if it takes one, and that this life is over; without a word where another follows. */
  async end(why?: Goodbye["why"]): Promise<void> {
    if (this.#hub) await this.#lastLines();
    if (why) this.#hub?.send({ kind: "goodbye", why });
    this.#dialler.close();
  }

  #lastLines(): Promise<void> {
    return new Promise((resolve) => {
      const forget = this.#edges.after(FAREWELL_MS, resolve);
      this.#onEmpty = () => {
        forget();
        resolve();
      };
      this.#pump();
      this.#mayBeEmpty();
    });
  }

  #up(hub: HubLink): void {
    this.#hub = hub;
    this.#unsaid.reconnected();
    this.report();
  }

  #acknowledged(seq: number): void {
    this.#unsaid.acknowledged(seq);
    this.#pump();
    this.#mayBeEmpty();
  }

  #mayBeEmpty(): void {
    if (this.#unsaid.isEmpty) this.#onEmpty?.();
  }

  #pump(): void {
    while (this.#hub && !this.#isBusy(this.#hub)) {
      const line = this.#unsaid.next();
      if (line === undefined) return;
      this.#hub.send(line);
    }
  }

  #isBusy({ bufferedBytes }: HubLink): boolean {
    return bufferedBytes > MOST_BUFFERED_BYTES;
  }

  #command(command: Command, refusal: string | undefined): void {
    const { log } = this.#speaker;
    const why = refusal ?? this.#objection(command);
    if (why !== undefined) return log.warn({ command, why }, "refused a command");
    log.info({ command }, "was told by the hub");
    this.#worker.obey(command);
  }

  #question(question: QuestionMessage, refusal: string | undefined): void {
    if (refusal !== undefined) return this.#speaker.log.warn({ why: refusal }, "refused a question");
    this.#worker.ask?.(question);
  }

  #look(look: LookMessage, refusal: string | undefined): void {
    if (refusal !== undefined) return this.#speaker.log.warn({ why: refusal }, "refused to look at a batch");
    this.#worker.look(look);
  }

  #objection(command: Command): string | undefined {
    if (!this.#control) return "this worker was started without --control";
    return COMMANDS.includes(command) ? undefined : "there is no such command";
  }
}

function introductionOf(
  { worker, incarnation, instance, port, kernels }: Speaker,
  config: Config,
  { run, control, node, folders }: WorkerOptions,
  { pid, hub }: ReporterEdges & { readonly hub: HubEdge },
  questions: boolean,
): Introduction {
  return {
    kind: "introduction",
    protocol: TELEMETRY_PROTOCOL,
    run,
    worker,
    incarnation,
    instance,
    pid,
    port,
    control,
    ...(questions && { questions }),
    looks: true,
    config: canonicalYaml(config),
    ...(node !== undefined && { node }),
    ...(folders[0]?.url !== undefined && { store: folders[0].url }),
    versions: { node: hub.nodeVersion, kernels },
  };
}
