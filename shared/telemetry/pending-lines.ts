import * as z from "zod";
import {
  follows,
  mergeSums,
  type SegmentSums,
  segmentOf,
  TallySchema,
} from "../record/curves/segment-sums.ts";
import type { Evaluation, EventLine, MetricLine } from "../record/lines.ts";
import { testSchema } from "../record/parse-line.ts";
import type { Speaker } from "../record/worker-name.ts";
import type { LogLine, Numbered } from "./messages.ts";

/** Lines said and not acknowledged, at most; whatever hub hears them acknowledges them a few times a second. */
const MOST_SAID = 256;
/** Segments not said yet; beyond it the two shortest neighbours become one: a coarser curve, and no hole in it. */
const MOST_SEGMENTS = 512;
const MOST_EVALUATIONS = 128;
/** Events and log lines not said yet, in characters; beyond it the oldest are dropped, and counted. */
const MOST_CHARACTERS = 512 * 1024;
/** A hub takes no longer ones. */
const MOST_EVENT_CHARACTERS = 1000;
const MOST_LOG_CHARACTERS = 32 * 1024;

type Entry =
  | { readonly kind: "tally"; tally: SegmentSums }
  | { readonly kind: "evaluation"; readonly line: Evaluation }
  | { readonly kind: "text"; readonly line: EventLine | LogLine; readonly characters: number };

interface Said {
  readonly seq: number;
  readonly line: Numbered["line"];
  readonly entry: Entry;
}

/** What no hub had acknowledged when a layer saved a checkpoint. */
export interface Notes {
  readonly tally?: SegmentSums | undefined;
  readonly evaluations: readonly Omit<Evaluation, "worker" | "incarnation">[];
}

/**
 * What a worker has to say to the hub, in order, until it is acknowledged: bounded, and the same line under the same
 * number however often it is said. Only what was never said is merged: a hub may hold the rest.
 */
export class PendingLines {
  readonly #worker: Speaker;
  readonly #incarnation: number;
  readonly #said: Said[] = [];
  /** How many of them were said on this connection. */
  #repeated = 0;
  #waiting: Entry[] = [];
  #characters = 0;
  #nextSeq = 0;
  #dropped = 0;
  /** Called when there are words to say: the last before a death are those that matter. */
  onWords = (): void => undefined;

  constructor(worker: Speaker, incarnation: number) {
    this.#worker = worker;
    this.#incarnation = incarnation;
  }

  /** Events, log lines and evaluations that were dropped, so far. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#said.length === 0 && this.#waiting.length === 0;
  }

  segment(tally: SegmentSums): void {
    this.#waiting.push({ kind: "tally", tally });
    if (this.#count("tally") > MOST_SEGMENTS) this.#mergeShortest();
  }

  say(line: Evaluation | EventLine | LogLine): void {
    if (line.kind === "evaluation") {
      this.#waiting.push({ kind: "evaluation", line });
      if (this.#count("evaluation") > MOST_EVALUATIONS) this.#dropOldest("evaluation");
      return;
    }
    this.#sayWords(line);
  }

  #sayWords(line: EventLine | LogLine): void {
    if (line.kind === "log" && line.text.length > MOST_LOG_CHARACTERS) {
      this.#dropped += 1;
      return;
    }
    const text = line.kind === "event" ? line.text.slice(0, MOST_EVENT_CHARACTERS) : line.text;
    const characters = text.length;
    this.#waiting.push({ kind: "text", line: { ...line, text }, characters });
    this.#characters += characters;
    while (this.#characters > MOST_CHARACTERS) this.#dropOldest("text");
    this.onWords();
  }

  /** The next line to say on this connection; undefined if there is none, or too many are unacknowledged. */
  next(): Numbered | undefined {
    const again = this.#said[this.#repeated];
    if (again === undefined && (this.#waiting.length === 0 || this.#said.length >= MOST_SAID))
      return undefined;
    const { seq, line } = again ?? this.#number(this.#waiting.shift()!);
    this.#repeated += 1;
    return { kind: "line", seq, line };
  }

  /** All up to this number is safe. */
  acknowledged(seq: number): void {
    const count = this.#said.filter((said) => said.seq <= seq).length;
    this.#said.splice(0, count);
    this.#repeated = Math.max(0, this.#repeated - count);
  }

  /** On a new connection everything unacknowledged is said again. */
  reconnected(): void {
    this.#repeated = 0;
  }

  /** For a checkpoint: everything up to its cursor that may get lost with this process. Undefined if there is nothing. */
  notes(): Notes | undefined {
    const entries = [...this.#said.map(({ entry }) => entry), ...this.#waiting];
    const tallies = entries.flatMap((entry) => (entry.kind === "tally" ? [entry.tally] : []));
    const evaluations = entries.flatMap((entry) => (entry.kind === "evaluation" ? [entry.line] : []));
    if (tallies.length + evaluations.length === 0) return undefined;
    const shorn = evaluations.map(({ kind, at, batch, test }) => ({ kind, at, batch, test }));
    // Where there is a hole already, what follows it is what counts.
    const merge = (one: SegmentSums, next: SegmentSums) => (follows(one, next) ? mergeSums(one, next) : next);
    return { ...(tallies.length > 0 && { tally: tallies.reduce(merge) }), evaluations: shorn };
  }

  /** What a former life noted, to be said first. */
  recall({ tally, evaluations }: Notes): void {
    if (tally) this.segment(tally);
    const who = { worker: this.#worker, incarnation: this.#incarnation };
    for (const evaluation of evaluations) this.say({ ...evaluation, ...who });
  }

  #number(entry: Entry): Said {
    if (entry.kind === "text") this.#characters -= entry.characters;
    const said = { seq: this.#nextSeq++, line: this.#lineOf(entry), entry };
    this.#said.push(said);
    return said;
  }

  #lineOf(entry: Entry): MetricLine | EventLine | LogLine {
    return entry.kind === "tally" ? segmentOf(entry.tally, this.#worker, this.#incarnation) : entry.line;
  }

  #count(kind: Entry["kind"]): number {
    return this.#waiting.reduce((count, entry) => (entry.kind === kind ? count + 1 : count), 0);
  }

  #mergeShortest(): void {
    const segments = this.#waiting.flatMap((entry) => (entry.kind === "tally" ? [entry] : []));
    const pairs = segments.slice(1).map((later, index) => ({ earlier: segments[index]!, later }));
    const neighbours = pairs.filter(({ earlier, later }) => follows(earlier.tally, later.tally));
    if (neighbours.length === 0) return this.#dropOldest("tally");
    const length = ({ earlier, later }: (typeof neighbours)[number]) =>
      later.tally.last - earlier.tally.first;
    const { earlier, later } = neighbours.reduce((one, other) => (length(other) < length(one) ? other : one));
    earlier.tally = mergeSums(earlier.tally, later.tally);
    this.#waiting = this.#waiting.filter((entry) => entry !== later);
  }

  #dropOldest(kind: Entry["kind"]): void {
    const index = this.#waiting.findIndex((entry) => entry.kind === kind);
    const [entry] = this.#waiting.splice(index, 1);
    if (entry?.kind === "text") this.#characters -= entry.characters;
    this.#dropped += 1;
  }
}

const NotesSchema = z.object({
  tally: TallySchema.optional(),
  evaluations: z.array(
    z.object({
      kind: z.literal("evaluation"),
      at: z.number(),
      batch: z.number().int().nonnegative(),
      test: testSchema,
    }),
  ),
});

/** Undefined where there are none, or none that this program reads: the record has a hole then, and learning none. */
export function readNotes(text: string | undefined): Notes | undefined {
  if (text === undefined) return undefined;
  try {
    return NotesSchema.parse(JSON.parse(text)) as Notes;
  } catch {
    return undefined;
  }
}
