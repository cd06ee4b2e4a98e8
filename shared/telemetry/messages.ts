import type { Command } from "../record/hub-api.ts";
import type { Evaluation, EventLine, Segment } from "../record/lines.ts";
import type { Progress } from "../record/progress.ts";
import type { Seen } from "../record/seen.ts";
import type { WorkerName } from "../record/worker-name.ts";

export { COMMANDS, type Command } from "../record/hub-api.ts";

/**
 * Between a worker and the hub: JSON, one object a message, over a WebSocket at /telemetry of the hub's port. Training never
 * depends on it: the worker dials again without end, keeps what was not acknowledged in a queue of bounded length (beyond it
 * neighbouring segments are merged, then the oldest events and log lines are dropped and counted), and never waits.
 *
 * Lines are numbered within a life and acknowledged when they are in the hub's files; unacknowledged ones are said again on
 * the next connection, and the hub passes over numbers it has. What no hub had acknowledged when a layer saved a checkpoint
 * is saved in it, merged, and said by the next life: so a curve has no hole where a layer died while the hub was away.
 */
export const TELEMETRY_PROTOCOL = 1;

/** To the worker, first: a nonce to prove oneself by (shared/telemetry/hub-proof.ts), where the run has a secret. */
interface Challenge {
  readonly kind: "challenge";
  readonly protocol: number;
  readonly nonce: string;
}

/** From the worker, once. */
export interface Introduction {
  readonly kind: "introduction";
  readonly protocol: number;
  readonly run: string;
  readonly worker: WorkerName | "train";
  readonly incarnation: number;
  readonly instance: string;
  readonly pid: number;
  /** Its own port, for /healthz; the host is where the connection comes from. */
  readonly port: number;
  /** Whether it obeys commands. */
  readonly control: boolean;
  /** Whether it can be asked questions. */
  readonly questions?: boolean;
  /** Whether it tells what it saw of a batch. */
  readonly looks?: boolean;
  /** The config as canonical YAML. */
  readonly config: string;
  /** The machine it lives on, where it was told. */
  readonly node?: string;
  /** s3://…, where its checkpoints go; undefined where they stay on that machine. */
  readonly store?: string;
  readonly versions: { readonly node: string; readonly kernels: string };
  /** Both where the run has a secret: what the hub's commands are proved by, and that this worker is of the run. */
  readonly nonce?: string;
  readonly proof?: string;
}

/** From the worker. `seq` rises by one, from 0, within an incarnation and instance. */
export interface Numbered {
  readonly kind: "line";
  readonly seq: number;
  readonly line: Segment | Evaluation | EventLine | LogLine;
}

/** A line of the worker's log, as pino wrote it. */
export interface LogLine {
  readonly kind: "log";
  readonly text: string;
}

/** From the worker, a few times a second, neither numbered nor kept: how it stands. */
export interface Standing {
  readonly kind: "standing";
  readonly progress: Progress & {
    /** Unanswered activations towards the successor, and their bound. */
    readonly inFlight?: number;
    readonly window?: number;
    readonly bytesSent: number;
    readonly bytesReceived: number;
    /** Highest batch in a durable checkpoint, −1 before the first. */
    readonly durable?: number;
    readonly rssBytes: number;
    /** Of that, what it keeps of what it sent, to send it again. */
    readonly keptBytes?: number;
  };
  /** Log lines and events that were dropped so far. */
  readonly dropped: number;
}

/** From the worker: it ends by its own will; what follows is silence, not death. */
export interface Goodbye {
  readonly kind: "goodbye";
  readonly why: "finished" | "stopped" | "fenced" | "failed";
}

/** To the worker: everything up to `seq` is in the files. */
interface Acknowledgement {
  readonly kind: "ack";
  readonly seq: number;
}

/** To the worker; obeyed only where it was started with --control. */
export interface CommandMessage {
  readonly kind: "command";
  readonly command: Command;
  /** To "train": the worker that is meant; undefined: the one that hears it. */
  readonly worker?: string;
  /** Where the run has a secret; a worker that has it does nothing without. */
  readonly proof?: string;
}

/** To the source, where it said that it takes questions: an example of the held-out data, or one input. */
export interface QuestionMessage {
  readonly kind: "question";
  readonly question: number;
  /** Beyond the last, it begins anew. */
  readonly example?: number;
  /** As the first layer takes it: bytes where the data are bytes. */
  readonly input?: readonly number[];
  /** As of a command. */
  readonly proof?: string;
}

/** From a worker, at once and never again: what it makes of a question. */
export interface AnswerMessage {
  readonly kind: "answer";
  readonly question: number;
  /** Cursor of the layer. */
  readonly batch: number;
  /** Of each class or bit, how likely it is; undefined where the worker has no classifier. */
  readonly beliefs?: readonly number[];
  /** From the source: what it asked, what the example is where that is known, or why it did not ask. */
  readonly input?: readonly number[];
  readonly labels?: readonly number[];
  readonly refusal?: string;
}

/** To a worker that said it does: keep what you see of this batch, which is to come. */
export interface LookMessage {
  readonly kind: "look";
  readonly look: number;
  readonly batch: number;
  /** As of a command. */
  readonly proof?: string;
}

/** From a worker, once: what it saw, when nothing more of that batch is to come. */
export interface SeenMessage extends Seen {
  readonly kind: "seen";
  readonly look: number;
}

export type ToHub = Introduction | Numbered | Standing | Goodbye | AnswerMessage | SeenMessage;
export type ToWorker = Challenge | Acknowledgement | CommandMessage | QuestionMessage | LookMessage;
