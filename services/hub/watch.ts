import type { Secret } from "../../shared/link/secret.ts";
import type { WorkerView } from "../../shared/record/hub-api.ts";
import type { EventLine, EventName, MetricLine } from "../../shared/record/lines.ts";
import { RunRecord } from "../../shared/record/run-record.ts";
import { workerOf } from "../../shared/record/run-view.ts";
import { type Speaker, type WorkerName, workerNames } from "../../shared/record/worker-name.ts";
import type { AnswerMessage, Command, Introduction, SeenMessage } from "../../shared/telemetry/messages.ts";
import type { Heard } from "../../shared/telemetry/parse-telemetry.ts";
import {
  type Leaving,
  type TelemetryClient,
  TelemetryServer,
} from "../../shared/telemetry/telemetry-server.ts";
import {
  broken,
  died,
  heard,
  introduced,
  type Known,
  type Moment,
  remembered,
  saidGoodbye,
  silent,
  stood,
} from "./contact.ts";
import { IncomingLines } from "./incoming-lines.ts";
import { RecordFiles } from "./record-files.ts";
import { viewOf } from "./worker-view.ts";

interface WatchOptions {
  readonly run: string;
  readonly folder: string;
  readonly secret: Secret | undefined;
  /** Whether the logs are the hub's to write. */
  readonly keepsLogs: boolean;
  readonly handshakeMs: number;
  /** Asks a worker's port whether somebody is there. */
  readonly probe: (host: string, port: number) => Promise<"nobody" | "somebody" | "nothing">;
  readonly now: () => Moment;
  readonly onLines: (metrics: readonly MetricLine[], events: readonly EventLine[]) => void;
  readonly onAnswer: (worker: WorkerName, answer: AnswerMessage) => void;
  readonly onSeen: (worker: WorkerName, seen: SeenMessage) => void;
  /** `isOfContact`: a worker came or went, which is shown at once. */
  readonly onChange: (isOfContact: boolean) => void;
  readonly warn: (about: object, message: string) => void;
}

const LOOK_MS = 500;
/** How long a broken connection may stay without an explanation. */
const DOUBT_MS = 500;
const ASK_AGAIN_MS = 2_000;

/** A run as its workers report it: which are there, and their lines on the way into the record. */
export class Watch {
  readonly record: RunRecord;
  readonly door: TelemetryServer;
  readonly #options: WatchOptions;
  readonly #files: RecordFiles;
  readonly #known = new Map<string, Known>();
  /** Of each worker the connection of the life that is shown. */
  readonly #visitors = new Map<string, TelemetryClient>();
  readonly #asking = new Map<string, NodeJS.Timeout>();
  readonly #looking: NodeJS.Timeout;
  readonly #lines: IncomingLines;

  /** Throws when the folder is no record of a run, or cannot be written. */
  constructor(options: WatchOptions) {
    this.#options = options;
    this.record = new RunRecord(options.folder, options.run);
    this.#files = new RecordFiles(options.folder, options.keepsLogs, (line) => this.record.add(line));
    this.#lines = new IncomingLines({
      files: this.#files,
      kept: (lines) => this.#kept(lines),
      warn: options.warn,
    });
    const { at: now } = options.now();
    for (const name of workerNames(this.record.config)) {
      this.#known.set(name, remembered(workerOf(this.record, name, now)));
    }
    this.door = new TelemetryServer({
      secret: options.secret,
      handshakeMs: options.handshakeMs,
      refuse: (introduction) => this.#refuse(introduction),
      introduced: (visitor) => this.#introduced(visitor),
      stood: ({ introduction }, standing) =>
        this.#update(introduction, (known, at) => stood(known, standing, at)),
      answered: (visitor, answer) => {
        const worker = this.#shownAs(visitor);
        if (worker) options.onAnswer(worker, answer);
      },
      seen: (visitor, seen) => {
        const worker = this.#shownAs(visitor);
        if (worker) options.onSeen(worker, seen);
      },
      said: (visitor, line) => this.#said(visitor, line),
      goodbye: ({ introduction }, why) =>
        this.#update(introduction, (known, at) => saidGoodbye(known, why, at)),
      left: (visitor, why) => this.#left(visitor, why),
      turnedAway: (reason) => options.warn({ reason }, "turned a visitor away"),
    });
    this.say("watching", undefined, `watching ${options.run}`);
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
  }

  views(): WorkerView[] {
    const { config, standing, recoveries } = this.record;
    return workerNames(config).map((name) => {
      const recorded = { last: standing.segments(name).at(-1), recovery: recoveries.of(name) };
      return viewOf(this.#known.get(name)!, config, recorded);
    });
  }

  /** Lines that could not be understood, and those that a full file had no room for. */
  get counts(): { readonly nonsense: number; readonly refused: number } {
    return { nonsense: this.#lines.nonsense, refused: this.#files.refused };
  }

  /** Why the record cannot be written; undefined if it can. */
  get alarm(): string | undefined {
    return this.#lines.alarm;
  }

  /** Of a worker, or of "train", which started them all; undefined if it is not connected. */
  visitor(worker: string): TelemetryClient | undefined {
    return this.#visitors.get(worker);
  }

  /** `worker`: whom it is about, if another. */
  command(visitor: TelemetryClient, command: Command, worker?: WorkerName): void {
    this.say("command", worker ?? visitor.introduction.worker, command);
    visitor.command(command, worker);
  }

  /** Everything heard is in the files when it returns. */
  close(): void {
    clearInterval(this.#looking);
    for (const timer of this.#asking.values()) clearTimeout(timer);
    this.#lines.flush();
    this.door.end();
    this.#files.close();
  }

  #refuse({ run, worker }: Introduction): string | undefined {
    if (run !== this.#options.run) return `run is ${run}, expected ${this.#options.run}`;
    if (worker === "train" || this.#known.has(worker)) return undefined;
    return `${worker} is not of this run: it has ${this.record.config.layers.length} layers`;
  }

  #introduced(visitor: TelemetryClient): void {
    const { introduction } = visitor;
    const { worker } = introduction;
    // What it has said before is said again, and what of it is in the files passed over.
    visitor.acknowledge(-1);
    const known = this.#known.get(worker);
    if (known === undefined) return void this.#visitors.set(worker, visitor);
    const now = this.#options.now();
    const after = introduced(known, introduction, now);
    if (after === undefined) return;
    this.#stopAsking(worker);
    this.#visitors.set(worker, visitor);
    this.#become(after);
  }

  /** Of the life that is shown; an older one changes nothing. */
  #update({ worker, instance }: Introduction, change: (known: Known, now: Moment) => Known): void {
    const known = this.#known.get(worker);
    if (known === undefined || known.instance !== instance) return;
    this.#become(change(known, this.#options.now()));
  }

  #become(after: Known): void {
    const before = this.#known.get(after.name)!;
    this.#known.set(after.name, after);
    const isOfContact = after.contact !== before.contact;
    if (isOfContact) this.#tellContact(before, after);
    this.#options.onChange(isOfContact);
  }

  #tellContact(before: Known, after: Known): void {
    const { name, contact, why = "" } = after;
    if (contact === "unreachable" || contact === "dead") this.say(contact, name, `${name}: ${why}`);
    const wasAway = before.contact === "unreachable" || before.contact === "dead";
    if (contact === "connected" && wasAway) this.say("back", name, `${name} is back`);
  }

  #said(visitor: TelemetryClient, heardLine: Extract<Heard, { kind: "line" }>): void {
    if (this.#lines.isBehind(visitor)) return;
    this.#update(visitor.introduction, heard);
    this.#lines.add(visitor, heardLine);
  }

  /** Undefined unless it is of the life that is shown. */
  #shownAs(visitor: TelemetryClient): WorkerName | undefined {
    const { worker } = visitor.introduction;
    return worker !== "train" && this.#visitors.get(worker) === visitor ? worker : undefined;
  }

  #kept(lines: readonly (MetricLine | EventLine)[]): void {
    for (const line of lines) {
      this.record.add(line);
      if (line.kind === "event" && line.name === "died" && line.worker === "train") this.#died(line);
    }
    this.#options.onLines(
      lines.filter((line) => line.kind !== "event"),
      lines.filter((line) => line.kind === "event"),
    );
  }

  /** "layer2: exit 137". By the time it is heard a newer life may be there. */
  #died({ about, incarnation, text, at }: EventLine): void {
    const known = this.#known.get(about ?? "");
    if (known === undefined || incarnation !== 0) return;
    if ((known.introducedAt ?? 0) <= at)
      this.#become(died(known, text.replace(/^\w+: /, ""), this.#options.now()));
  }

  #left(visitor: TelemetryClient, why: Leaving): void {
    this.#lines.left(visitor);
    const { worker, port } = visitor.introduction;
    if (this.#visitors.get(worker) !== visitor) return;
    this.#visitors.delete(worker);
    const known = this.#known.get(worker);
    if (known === undefined || known.contact === "gone" || why === "sent away") return;
    void this.#ask(worker, visitor.host, port);
  }

  /** Until it is back, or known to be dead. */
  async #ask(worker: string, host: string, port: number): Promise<void> {
    // An answer may take seconds, and the page should not say "connected" until then.
    const meanwhile = setTimeout(() => this.#answered(worker, "nothing"), DOUBT_MS);
    this.#asking.set(worker, meanwhile);
    const answer = await this.#options.probe(host, port);
    if (this.#asking.get(worker) !== meanwhile) return;
    this.#stopAsking(worker);
    this.#answered(worker, answer);
    if (this.#known.get(worker)!.contact !== "unreachable") return;
    this.#asking.set(
      worker,
      setTimeout(() => void this.#ask(worker, host, port), ASK_AGAIN_MS),
    );
  }

  #answered(worker: string, answer: "nobody" | "somebody" | "nothing"): void {
    this.#become(broken(this.#known.get(worker)!, answer, this.#options.now()));
  }

  #stopAsking(worker: string): void {
    clearTimeout(this.#asking.get(worker));
    this.#asking.delete(worker);
  }

  #look(): void {
    const now = this.#options.now();
    for (const known of this.#known.values()) {
      const after = silent(known, now);
      if (after !== known) this.#become(after);
    }
  }

  /** An event of the hub's own. */
  say(name: EventName, about: Speaker | undefined, text: string): void {
    const { at } = this.#options.now();
    const event: EventLine = {
      ...{ kind: "event", worker: "hub", incarnation: 0, at, name, text },
      ...(about === undefined ? {} : { about }),
    };
    try {
      this.#files.say(event);
    } catch (error) {
      this.#options.warn({ err: error }, "cannot write the record");
    }
    this.record.add(event);
    this.#options.onLines([], [event]);
  }
}
