import type { Config } from "../config/config.ts";
import type { DataFacts } from "../config/data-facts.ts";
import type { TestResult } from "../wire/frames.ts";
import type { EventLine, MetricLine } from "./lines.ts";
import type { Recovery } from "./outages/recovery.ts";
import type { WorkerState } from "./progress.ts";
import type { WorkerName } from "./worker-name.ts";

/**
 * What the hub answers, in JSON. Everything is of one run; `latest` stands for the one that is watched, else the newest.
 *
 *     GET  /api/runs                        RunRow[]           newest first
 *     GET  /api/runs/:run                   RunView
 *     GET  /api/runs/:run/metrics           MetricLine[]       as they stand (see lines.ts), thinned to at most
 *                                                              ?points= segments a worker (default 2,000) by merging neighbours
 *     GET  /api/runs/:run/events            EventLine[]        the last ?tail= (default 1,000)
 *     GET  /api/runs/:run/logs/:worker      LogRecord[]        the last ?tail= (default 500), ?level=warn and above, ?text=
 *     GET  /api/runs/:run/files/:name       config.yaml, metrics.ndjson, metrics.csv, events.ndjson, summary.json, logs/:worker
 *     GET  /api/stream                      server-sent events of the watched run, see StreamEvents
 *     POST /api/control                     ControlRequest → ControlAnswer; 403, 404, 409 with { error }
 *     POST /api/ask                         Question → an Answer a line, as they come; 400, 409, 429 with { error }
 *     POST /api/look                        a SeenBy a line, of one batch that is to come; 409, 429 with { error }
 *     GET  /healthz  /metrics               of the hub itself
 *     GET  /                                the page
 */
export interface RunRow {
  readonly id: string;
  readonly name: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** watched: by a hub, which knows more than the files. */
  readonly state: "watched" | "training" | "finished" | "stopped";
  readonly batch: number;
  readonly batches: number;
  readonly test?: TestResult;
}

export interface RunView {
  readonly row: RunRow;
  readonly config: Config;
  /** What inputs and outputs are. */
  readonly data: DataFacts;
  readonly workers: readonly WorkerView[];
  readonly control: ControlView;
}

/** How a worker stands: state and figures are what it last said, `heardAt` says when, `contact` what is known since. */
export interface WorkerView extends Recovery {
  readonly name: WorkerName;
  /** Undefined for the source. */
  readonly layer?: number;
  readonly shape?: {
    readonly inputs: number;
    readonly outputs: number;
    /** Such as "batch norm, relu". */
    readonly what: string;
    readonly parameters: number;
  };
  /**
   * absent: never heard of. connected. unreachable: silent, or its connection broke and nobody knows more. dead: its
   * process is known to be gone. gone: said goodbye.
   */
  readonly contact: "absent" | "connected" | "unreachable" | "dead" | "gone";
  /** One phrase: "exit 137", "silent", "finished". */
  readonly why?: string;
  readonly state?: WorkerState;
  /** By the hub's clock; figures that are old are shown so. */
  readonly heardAt?: number;
  /** When `contact` became what it is, by the hub's clock. */
  readonly since: number;
  readonly incarnation: number;
  readonly batch: number;
  readonly perSecond: number;
  readonly loss?: number;
  readonly generatorError?: number;
  readonly cosine?: number;
  readonly staleness?: number;
  readonly inFlight?: number;
  readonly window?: number;
  /** Bytes a second, over the last few seconds. */
  readonly sendsPerSecond?: number;
  readonly receivesPerSecond?: number;
  readonly durable?: number;
  readonly rssBytes?: number;
  /** What it keeps of what it sent, to send it again. */
  readonly keptBytes?: number;
  readonly alarm?: string;
  readonly dropped: number;
  readonly pid?: number;
  /** The machine it lives on, and where its checkpoints go if not only there. */
  readonly node?: string;
  readonly store?: string;
}

/** What the living network is asked: one of these. */
export interface Question {
  /** Of the held-out data, counted on from the first again after the last. */
  readonly example?: number;
  /** Of a table: the values by the names of the columns. */
  readonly row?: Readonly<Record<string, unknown>>;
  /** Of a text: what comes next is asked. Of a longer one its end counts, a shorter one has newlines before it. */
  readonly text?: string;
  /** With `text`: ids that come after it, as a text that is being written has them. */
  readonly ids?: readonly number[];
  /** As layer 1 takes it: bytes (pixels, ids) or floats. At most 16,384, in a body of 60,000 bytes. */
  readonly input?: readonly number[];
}

/**
 * What one worker makes of a question. The source says first what it asked; a layer that nothing is heard of did not get it,
 * or has no connection. The last line comes a second after the question at the latest.
 */
export interface Answer {
  readonly worker: WorkerName;
  /** The cursor of the layer; −1 where it is not known. */
  readonly batch: number;
  /** Since the question came to the hub. */
  readonly ms: number;
  /** Of each class or bit, how likely it is; of a sequence, what comes next. Undefined where there is no classifier. */
  readonly beliefs?: readonly number[];
  /** From the source. */
  readonly input?: readonly number[];
  /** From the source: of 0 and 1, what the held-out example is. */
  readonly labels?: readonly number[];
  /** Why nothing was asked, from the source, or from the hub in its name. */
  readonly refusal?: string;
}

export interface ControlView {
  /** Whether the hub gives commands at all. */
  readonly isOn: boolean;
  /** The command-line twin of each, as a template with {worker}. */
  readonly twins: Readonly<Record<Command, string>>;
}

export interface LogRecord {
  readonly at: number;
  readonly level: "debug" | "info" | "warn" | "error" | "fatal";
  readonly incarnation: number;
  /** The line as a person reads it (formatEvent). */
  readonly text: string;
}

/**
 * Server-sent events; each has `event:` one of these names and `data:` its JSON. The first is always `hello`, after every
 * reconnection too: the page then fetches what it lacks. A reader that does not read is cut off at a bounded backlog.
 */
export interface StreamEvents {
  /** `instance` changes when the hub was started again; `now` is the hub's clock. */
  readonly hello: { readonly instance: string; readonly run: string; readonly now: number };
  /** All of them, at most twice a second, and at once when somebody came or went; at least every two seconds. */
  readonly workers: { readonly now: number; readonly workers: readonly WorkerView[] };
  /** As they arrive. */
  readonly metrics: readonly MetricLine[];
  readonly events: readonly EventLine[];
  /** The watched run is another one now, or has ended. */
  readonly run: RunRow;
}

/**
 * Refused unless the hub was started with control, the Host is its own, the Origin (if any) too, and the token of the run
 * (runs/<id>/control-token; in the page by #token= of the printed address, kept in memory and sent as Authorization: Bearer).
 */
export interface ControlRequest {
  /** A worker's name, or "run" for stop. */
  readonly worker: string;
  readonly command: Command;
}

export interface ControlAnswer {
  readonly sent: true;
}

/**
 * pause: takes no batch until resume. delay: what it sends to its successor leaves DELAY_MS later, until undelay. kill: exits
 * with 1, at once. restart: saves, exits with 75, and is started again. stop: saves, exits with 0, and stays away until
 * start, which only the one who started it can obey.
 */
export const COMMANDS = [
  "pause",
  "resume",
  "delay",
  "undelay",
  "checkpoint",
  "kill",
  "restart",
  "stop",
  "start",
] as const;
export type Command = (typeof COMMANDS)[number];
export const DELAY_MS = 250;
