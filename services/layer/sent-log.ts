import type { LayerState } from "../../shared/dni/layer-state.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { CloseCode, type Tensor } from "../../shared/wire/frames.ts";

/** What a layer said of a batch, as it was before any rounding. */
interface Sent {
  readonly batch: number;
  readonly rows: number;
  /** To its successor, rows × outputs. */
  readonly output: Float32Array | undefined;
  /** To its predecessor, rows × inputs. */
  readonly answer: Float32Array | undefined;
  readonly shown?: Shown;
}

type Way = "output" | "answer";

/** What else goes on with an output: of a batch that this life has applied. */
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
  readonly #rooms: Readonly<Record<Way, (Float32Array | undefined)[]>> = { output: [], answer: [] };
  readonly #widths: Readonly<Record<Way, number>>;
  /** Where what is sent again lies: kernels read their own memory only. */
  readonly #again: Readonly<Record<Way, Float32Array>>;
  #newest = -1;

  constructor(kernels: Kernels, batches: number, maxRows: number, widths: Readonly<Record<Way, number>>) {
    this.#slots = new Array(batches + 1);
    this.#widths = widths;
    const roomFor = (way: Way) => kernels.allocate(maxRows * widths[way]);
    this.#again = { output: roomFor("output"), answer: roomFor("answer") };
  }

  /** Valid until the next call; undefined if the batch is not kept. */
  again(batch: number): Pick<Sent, Way | "rows" | "shown"> | undefined {
    const sent = this.#of(batch);
    const put = (way: Way) => {
      if (!sent?.[way]) return undefined;
      this.#again[way].set(sent[way]);
      return this.#again[way];
    };
    return sent && { ...sent, output: put("output"), answer: put("answer") };
  }

  /** Throws a FrameError where the batch had other rows when it came before. */
  requireRows(batch: number, rows: number): void {
    // A layer that is alone keeps nothing of a batch, and cannot tell.
    const before = this.#of(batch)?.rows || rows;
    if (before === rows) return;
    throw new FrameError(`batch ${batch} has ${rows} rows, it had ${before} before`, CloseCode.mismatch);
  }

  /** Copies. Of a batch below the newest nothing is kept: it would take the place of one that may be asked for. */
  keep(batch: number, rows: number, way: Way, values: Float32Array | undefined): void {
    if (batch < this.#newest) return;
    this.#newest = batch;
    const at = batch % this.#slots.length;
    const before = this.#slots[at];
    const begun = before?.batch === batch ? before : { output: undefined, answer: undefined };
    const rooms = this.#rooms[way];
    const copy = values && copyOf(values.subarray(0, rows * this.#widths[way]), rooms[at]);
    rooms[at] = copy;
    this.#slots[at] = { ...begun, batch, rows, [way]: copy };
  }

  /** Copies what was shown of the batch that was kept last. */
  show(batch: number, { labels, input }: Shown): void {
    const at = batch % this.#slots.length;
    const sent = this.#of(batch);
    if (sent) this.#slots[at] = { ...sent, shown: { labels: copied(labels), input: input && copied(input) } };
  }

  get bytes(): number {
    return this.#slots.reduce((sum, sent) => sum + (sent ? bytesOf(sent) : 0), 0);
  }

  /** How many examples the batch had; undefined if it is not kept. */
  rowsOf(batch: number): number | undefined {
    return this.#of(batch)?.rows;
  }

  /** Of batches `from` and on, as tensors of a checkpoint. */
  stateSince(from: number): LayerState {
    const tensors: Record<string, Float32Array> = {};
    for (let batch = from; batch <= this.#newest; batch++) {
      const { output, answer } = this.#of(batch) ?? {};
      if (output) tensors[nameOf(batch, "output")] = output;
      if (answer) tensors[nameOf(batch, "answer")] = answer;
    }
    return { tensors, counters: {} };
  }

  /** Of batches `from` to `to`, which a checkpoint holds. */
  restore(tensors: LayerState["tensors"], from: number, to: number): void {
    for (let batch = from; batch <= to; batch++) {
      const output = tensors[nameOf(batch, "output")];
      const answer = tensors[nameOf(batch, "answer")];
      const { output: outputs, answer: inputs } = this.#widths;
      const rows = output ? output.length / outputs : (answer?.length ?? 0) / inputs;
      this.keep(batch, rows, "output", output);
      this.keep(batch, rows, "answer", answer);
    }
  }

  #of(batch: number): Sent | undefined {
    const sent = this.#slots[batch % this.#slots.length];
    return sent?.batch === batch ? sent : undefined;
  }
}

function bytesOf({ output, answer, shown }: Sent): number {
  const { labels, input } = shown ?? {};
  return [output, answer, labels?.data, input?.data].reduce((sum, each) => sum + (each?.byteLength ?? 0), 0);
}

/** In `room`, where that is as long: else a run makes megabytes of garbage a second. */
function copyOf(values: Float32Array, room: Float32Array | undefined): Float32Array {
  if (room?.length !== values.length) return values.slice();
  room.set(values);
  return room;
}

/** A view would keep all of the frame that it came in. */
function copied(tensor: Tensor): Tensor {
  return { ...tensor, data: Uint8Array.from(tensor.data) };
}

function nameOf(batch: number, way: Way): string {
  return `sent.${batch}.${way}`;
}
