import { decode, encode } from "../../shared/wire/codec.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { CloseCode, type Tensor } from "../../shared/wire/frames.ts";

/** What a layer said of a batch, as it travels: what neighbours hear again is what they heard before. */
interface Sent {
  readonly batch: number;
  readonly rows: number;
  /** To its successor, rows × outputs. */
  readonly output: Tensor | undefined;
  /** To its predecessor, rows × inputs. */
  readonly answer: Tensor | undefined;
  readonly shown: Shown | undefined;
}

type Way = "output" | "answer";

/** What else goes on with an output. */
export interface Shown {
  readonly labels: Tensor;
  /** The network's own, where the successor needs it. */
  readonly input: Tensor | undefined;
}

/** What a layer sent of its last batches, to be sent again as it was. */
export class SentLog {
  /** That of batch b lies at b mod their number; one more than is asked for, which is forwarded and not learnt yet. */
  readonly #slots: (Sent | undefined)[];
  /** Memory of those that lay there before. */
  readonly #rooms: Readonly<Record<Way, (Tensor | undefined)[]>> = { output: [], answer: [] };
  #newest = -1;

  constructor(batches: number) {
    this.#slots = new Array(batches + 1);
  }

  /** The log's own, until another batch takes its place; undefined if the batch is not kept. */
  again(batch: number): Sent | undefined {
    const sent = this.#slots[batch % this.#slots.length];
    return sent?.batch === batch ? sent : undefined;
  }

  /** Throws a FrameError where the batch had other rows when it came before. */
  requireRows(batch: number, rows: number): void {
    // A layer that is alone keeps nothing of a batch, and cannot tell.
    const before = this.again(batch)?.rows || rows;
    if (before === rows) return;
    throw new FrameError(`batch ${batch} has ${rows} rows, it had ${before} before`, CloseCode.mismatch);
  }

  /**
   * Copies, beside what is kept of the batch already. Of a batch below the newest nothing is kept: it would take the place of
   * one that may be asked for.
   */
  keep(batch: number, rows: number, { output, answer, shown }: Partial<Pick<Sent, Way | "shown">>): void {
    if (batch < this.#newest) return;
    this.#newest = batch;
    const at = batch % this.#slots.length;
    const begun = this.again(batch);
    this.#slots[at] = {
      batch,
      rows,
      output: output ? this.#copied("output", at, output) : begun?.output,
      answer: answer ? this.#copied("answer", at, answer) : begun?.answer,
      shown: shown ? copyOf(shown) : begun?.shown,
    };
  }

  get bytes(): number {
    return this.#slots.reduce((sum, sent) => sum + (sent ? bytesOf(sent) : 0), 0);
  }

  /** How many examples the batch had; undefined if it is not kept. */
  rowsOf(batch: number): number | undefined {
    return this.again(batch)?.rows;
  }

  /** Of batches `from` and on, for a checkpoint; by name. */
  framesSince(from: number): Record<string, Uint8Array> {
    const kept = this.#slots.filter((sent) => sent !== undefined && sent.batch >= from) as Sent[];
    return Object.fromEntries(kept.flatMap(framesOf));
  }

  /** What `framesSince` gave. */
  restore(frames: Readonly<Record<string, Uint8Array>>): void {
    const sent = Object.values(frames).map((bytes) => decode(bytes, { maxFrameBytes: bytes.length }));
    const answers = sent.filter((frame) => frame.kind === "gradient");
    const outputs = sent.filter((frame) => frame.kind === "activation");
    const forward = new Map(outputs.map((frame) => [frame.batch, frame]));
    for (const { batch, gradient: answer } of answers.sort((one, other) => one.batch - other.batch)) {
      const passed = forward.get(batch);
      const rows = (passed?.activation ?? answer)?.shape[0] ?? 0;
      const shown = passed && { labels: passed.labels, input: passed.input };
      this.keep(batch, rows, { output: passed?.activation, answer, shown });
    }
  }

  /** Laid into memory of the batch that lay there before. */
  #copied(way: Way, at: number, tensor: Tensor): Tensor {
    const copy = copyInto(this.#rooms[way][at], tensor);
    this.#rooms[way][at] = copy;
    return copy;
  }
}

function bytesOf({ output, answer, shown }: Sent): number {
  const tensors = [output, answer, shown?.labels, shown?.input];
  return tensors.reduce((sum, each) => sum + (each ? each.data.length + (each.scales?.length ?? 0) : 0), 0);
}

/** In `room`, where that is as long: else a run makes megabytes of garbage a second. */
function copyInto(room: Tensor | undefined, tensor: Tensor): Tensor {
  const { data, scales } = tensor;
  if (room?.data.length !== data.length || room.scales?.length !== scales?.length)
    // A view would keep all of the frame that it came in.
    return { ...tensor, data: Uint8Array.from(data), ...(scales && { scales: Uint8Array.from(scales) }) };
  room.data.set(data);
  if (scales) room.scales?.set(scales);
  return room;
}

function copyOf({ labels, input }: Shown): Shown {
  return { labels: copyInto(undefined, labels), input: input && copyInto(undefined, input) };
}

/** As they travelled: its answer, if only one without numbers, and what went forward. */
function framesOf({ batch, output, answer, shown }: Sent): [name: string, bytes: Uint8Array][] {
  const back = encode({ kind: "gradient", batch, ...(answer && { gradient: answer }) });
  const answered: [string, Uint8Array] = [`sent.${batch}.gradient`, back];
  if (!output || !shown) return [answered];
  const { labels, input } = shown;
  const forward = encode({ kind: "activation", batch, activation: output, labels, ...(input && { input }) });
  return [answered, [`sent.${batch}.activation`, forward]];
}
