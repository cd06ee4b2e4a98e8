/** A piece of work on one batch, as a complete event ("ph": "X") of the trace-event format; times in microseconds. */
export interface Span {
  readonly name: string;
  readonly ph: "X";
  /** Since 1970. */
  readonly ts: number;
  readonly dur: number;
  readonly pid: 1;
  /** The layer. */
  readonly tid: number;
  readonly args: { readonly batch: number };
}

const SPANS_A_WRITE = 256;

/**
 * Writes what a layer does, a span a line. A killed process loses the last 255 of them; once `room` bytes are written, it
 * writes no more.
 */
export class Tracer {
  readonly #layer: number;
  /** Milliseconds since 1970, with their fraction. */
  readonly #now: () => number;
  readonly #write: (lines: string) => void;
  #room: number;
  #lines: string[] = [];

  constructor(layer: number, room: number, now: () => number, write: (lines: string) => void) {
    this.#layer = layer;
    this.#room = room;
    this.#now = now;
    this.#write = write;
  }

  span<T>(name: string, batch: number, work: () => T): T {
    const from = this.#now();
    const result = work();
    const dur = (this.#now() - from) * 1000;
    const span: Span = { name, ph: "X", ts: from * 1000, dur, pid: 1, tid: this.#layer, args: { batch } };
    this.#add(`${JSON.stringify(span)}\n`);
    return result;
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines.join("");
    this.#lines = [];
    this.#write(lines);
  }

  #add(line: string): void {
    this.#room -= line.length;
    if (this.#room < 0) return;
    this.#lines.push(line);
    if (this.#lines.length >= SPANS_A_WRITE) this.flush();
  }
}
