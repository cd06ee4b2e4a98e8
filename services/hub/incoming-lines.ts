import type { EventLine, MetricLine } from "../../shared/record/lines.ts";
import type { Heard } from "../../shared/telemetry/parse-telemetry.ts";
import type { TelemetryClient } from "../../shared/telemetry/telemetry-server.ts";
import type { RecordFiles, SaidLine } from "./record-files.ts";

/** Lines wait that long for others, to be written and acknowledged together: words, and pieces of curves. */
const GATHER_MS = { words: 100, curves: 500 };
const MOST_GATHERED = 1_000;
const DISK_MS = 2_000;

interface Incoming {
  readonly visitor: TelemetryClient;
  readonly seq: number;
  /** Undefined for nonsense, which is acknowledged all the same. */
  readonly line: SaidLine | undefined;
}

interface IncomingOptions {
  readonly files: RecordFiles;
  /** They are in the files now. */
  readonly kept: (lines: readonly (MetricLine | EventLine)[]) => void;
  readonly warn: (about: object, message: string) => void;
}

/** Workers' lines on their way into the files: gathered, written, and then acknowledged. */
export class IncomingLines {
  readonly #options: IncomingOptions;
  #gathered: Incoming[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #hasWords = false;
  /** A line of theirs could not be kept: nothing after it may be either. */
  readonly #behind = new Set<TelemetryClient>();
  #alarm: string | undefined;
  #nonsense = 0;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  /** Why the record cannot be written; undefined if it can. */
  get alarm(): string | undefined {
    return this.#alarm;
  }

  /** How many lines could not be understood. */
  get nonsense(): number {
    return this.#nonsense;
  }

  isBehind(visitor: TelemetryClient): boolean {
    return this.#behind.has(visitor);
  }

  add(visitor: TelemetryClient, { seq, line }: Extract<Heard, { kind: "line" }>): void {
    const { worker, instance } = visitor.introduction;
    if (line === undefined) this.#nonsense++;
    // No worker speaks for another.
    const isOwn = line !== undefined && (line.kind === "log" || line.worker === worker);
    this.#gathered.push({ visitor, seq, line: isOwn ? { worker, instance, seq, line } : undefined });
    if (this.#gathered.length >= MOST_GATHERED) this.flush();
    else this.#flushSoon(line?.kind !== "segment");
  }

  left(visitor: TelemetryClient): void {
    this.#behind.delete(visitor);
  }

  #flushSoon(isOfWords: boolean): void {
    if (this.#gathering !== undefined && (this.#hasWords || !isOfWords)) return;
    clearTimeout(this.#gathering);
    this.#hasWords = isOfWords;
    this.#gathering = setTimeout(() => this.flush(), isOfWords ? GATHER_MS.words : GATHER_MS.curves);
  }

  /** Everything that was added is in the files when it returns, or its worker is sent away to say it again. */
  flush(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    this.#gathered = [];
    let kept: SaidLine[];
    try {
      kept = this.#options.files.keep(gathered.flatMap(({ line }) => line ?? []));
    } catch (error) {
      return this.#fallBehind(new Set(gathered.map(({ visitor }) => visitor)), error as Error);
    }
    this.#alarm = undefined;
    this.#options.kept(kept.flatMap(({ line }) => (line.kind === "log" ? [] : [line])));
    const reached = new Map(gathered.map(({ visitor, seq }) => [visitor, seq]));
    for (const [visitor, seq] of reached) visitor.acknowledge(seq);
  }

  /** The disk is full, say. Its workers are sent away in a while, come back, and say again what was not kept. */
  #fallBehind(visitors: ReadonlySet<TelemetryClient>, error: Error): void {
    if (this.#alarm === undefined) this.#options.warn({ err: error }, "cannot write the record");
    this.#alarm = `cannot write the record: ${error.message}`;
    for (const visitor of visitors) this.#behind.add(visitor);
    setTimeout(() => {
      for (const visitor of visitors) {
        this.#behind.delete(visitor);
        visitor.sendAway("say it again");
      }
    }, DISK_MS).unref();
  }
}
