import type { Kernels } from "../math/kernels.ts";
import type { LayerState } from "./layer-state.ts";

/** What a generator may look at, of one batch; row-major, one example a row. */
export interface Evidence {
  readonly rows: number;
  readonly output: Float32Array;
  /** As in an example. */
  readonly labels: Float32Array;
  /** The network's own input. */
  readonly input?: Float32Array;
}

/** Floats per example of each part; 0 where a part is never looked at. */
export interface EvidenceWidths {
  readonly output: number;
  readonly labels: number;
  readonly input: number;
}

/**
 * The evidence of batches whose target has not come yet, by batch. Room is made as it is needed, for `capacity` batches at
 * most; one more pushes out the batch kept longest ago, whose target then teaches nothing.
 */
export class EvidenceStore {
  readonly #widths: EvidenceWidths;
  readonly #maxRows: number;
  readonly #capacity: number;
  readonly #makeSlot: () => Slot;
  readonly #free: Slot[] = [];
  /** In the order in which they were kept. */
  readonly #kept = new Map<number, { readonly slot: Slot; readonly rows: number }>();

  constructor(
    kernels: Kernels,
    capacity: number,
    options: { readonly widths: EvidenceWidths; readonly maxRows: number },
  ) {
    this.#widths = options.widths;
    this.#maxRows = options.maxRows;
    if (!(capacity >= 1)) throw new RangeError(`Cannot make an evidence store: capacity is ${capacity}`);
    this.#makeSlot = () => slotOf(kernels, options.widths, options.maxRows);
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** In the order in which they were kept. */
  batches(): number[] {
    return [...this.#kept.keys()];
  }

  /**
   * Copies the evidence of a batch, in place of what was kept for that batch before. Returns the batch that it pushed
   * out, if any. Throws, keeping nothing, for more rows than there is room for or a part that is missing.
   */
  keep(batch: number, evidence: Evidence): number | undefined {
    const { rows, output, labels, input } = evidence;
    if (rows > this.#maxRows) {
      throw new RangeError(`Cannot keep evidence of batch ${batch}: ${rows} rows, room for ${this.#maxRows}`);
    }
    if (this.#widths.input > 0 && !input)
      throw new Error(`Cannot keep evidence of batch ${batch}: it has no input`);
    this.#release(batch);
    const pushedOut = this.#makeRoom();
    const slot = this.#free.pop() ?? this.#makeSlot();
    copyRows(slot.output, output, rows * this.#widths.output);
    copyRows(slot.labels, labels, rows * this.#widths.labels);
    if (input && slot.input) copyRows(slot.input, input, rows * this.#widths.input);
    this.#kept.set(batch, { slot, rows });
    return pushedOut;
  }

  /** Reads without freeing. The arrays are the store's own, as long as the batch is kept. */
  peek(batch: number): Evidence | undefined {
    const found = this.#kept.get(batch);
    return found && evidenceIn(found.slot, found.rows);
  }

  /** Reads and frees. The arrays are valid until the next `keep`. */
  take(batch: number): Evidence | undefined {
    const evidence = this.peek(batch);
    this.#release(batch);
    return evidence;
  }

  clear(): void {
    for (const batch of this.batches()) this.#release(batch);
  }

  /** Of batches `from` and on. */
  stateSince(from: number): LayerState {
    const tensors: Record<string, Float32Array> = {};
    const counters: Record<string, number> = {};
    for (const [batch, { slot, rows }] of this.#kept) {
      if (batch < from) continue;
      counters[nameOf(batch)] = rows;
      for (const part of PARTS) {
        const floats = slot[part]?.subarray(0, rows * this.#widths[part]);
        if (floats && floats.length > 0) tensors[`${nameOf(batch)}.${part}`] = floats;
      }
    }
    return { tensors, counters };
  }

  /** What `stateSince` has given, among others. */
  restore({ tensors, counters }: LayerState): void {
    const batches = Object.keys(counters).flatMap((name) => batchIn(name) ?? []);
    for (const batch of batches.sort((one, other) => one - other)) {
      const part = (name: Part) => tensors[`${nameOf(batch)}.${name}`];
      const [output = NONE, labels = NONE, input] = PARTS.map(part);
      this.keep(batch, { rows: counters[nameOf(batch)]!, output, labels, ...(input && { input }) });
    }
  }

  #release(batch: number): void {
    const found = this.#kept.get(batch);
    if (!found) return;
    this.#kept.delete(batch);
    this.#free.push(found.slot);
  }

  #makeRoom(): number | undefined {
    if (this.#kept.size < this.#capacity) return undefined;
    const [oldest] = this.#kept.keys();
    this.#release(oldest!);
    return oldest;
  }
}

const PARTS = ["output", "labels", "input"] as const;

type Part = (typeof PARTS)[number];

const NONE = new Float32Array(0);
const PREFIX = "evidence.";

function nameOf(batch: number): string {
  return `${PREFIX}${batch}`;
}

function batchIn(name: string): number | undefined {
  return name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : undefined;
}

interface Slot {
  readonly output: Float32Array;
  readonly labels: Float32Array;
  readonly input: Float32Array | undefined;
}

function slotOf(kernels: Kernels, widths: EvidenceWidths, maxRows: number): Slot {
  return {
    output: kernels.allocate(maxRows * widths.output),
    labels: kernels.allocate(maxRows * widths.labels),
    input: widths.input > 0 ? kernels.allocate(maxRows * widths.input) : undefined,
  };
}

function evidenceIn(slot: Slot, rows: number): Evidence {
  const { output, labels, input } = slot;
  return input ? { rows, output, labels, input } : { rows, output, labels };
}

function copyRows(to: Float32Array, from: Float32Array, length: number): void {
  to.set(from.length === length ? from : from.subarray(0, length));
}
