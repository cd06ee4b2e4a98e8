import type { Checkpoint, Identity } from "../../shared/checkpoint/checkpoint.ts";
import { weightsDigest } from "../../shared/checkpoint/digest.ts";
import { apply, emptyLedger, fromRanges, type Ledger, toRanges } from "../../shared/checkpoint/ledger.ts";
import type { SnapshotStore } from "../../shared/checkpoint/snapshot-store.ts";
import { type CheckpointStore, CheckpointWriteError } from "../../shared/checkpoint/store.ts";
import type { LayerState } from "../../shared/dni/layer-state.ts";
import { shapesOf } from "../../shared/math/parameter.ts";
import type { Notes } from "../../shared/telemetry/pending-lines.ts";
import type { LayerReport, TestResult } from "../../shared/wire/frames.ts";

/** Beside which word a checkpoint keeps what no hub had heard by then. */
export const NOTES = "unsaid";

export interface LineageOptions extends Identity {
  readonly incarnation: number;
  readonly batches: number;
}

export interface Stores {
  readonly checkpoints: CheckpointStore;
  readonly snapshots: SnapshotStore;
}

/** Of the counters of a checkpoint: batches applied since the last target was heard. */
const SINCE_TARGET = "delivery.sinceTarget";
const RELEASED = "released";

/** What a layer saves when it has learnt its last batch. */
export interface RunEnd {
  readonly test: TestResult | undefined;
  /** Every layer has finished, and this one may leave. */
  readonly isReleased?: boolean;
}

/** What this layer has applied in its durable life, and how it is saved: state and cursor in one file. */
export class Lineage {
  readonly #options: LineageOptions;
  readonly #store: CheckpointStore;
  readonly #snapshots: SnapshotStore;
  readonly #state: () => LayerState;
  readonly #pending: () => Notes | undefined;
  #ledger: Ledger = emptyLedger;
  #sinceTarget = 0;
  /** Highest batch in a durable checkpoint; −1 before the first. */
  durable = -1;

  /** `pending` is asked at the moment of every checkpoint. */
  constructor(
    options: LineageOptions,
    stores: Stores,
    state: () => LayerState,
    pending: () => Notes | undefined,
  ) {
    this.#options = options;
    this.#store = stores.checkpoints;
    this.#snapshots = stores.snapshots;
    this.#state = state;
    this.#pending = pending;
  }

  /** Goes on where this checkpoint was taken. */
  continueFrom(checkpoint: Checkpoint): void {
    this.#ledger = fromRanges(checkpoint.ledger);
    this.#sinceTarget = checkpoint.counters[SINCE_TARGET] ?? 0;
    this.durable = checkpoint.cursor;
  }

  /** Throws if the batch is not the next one: it must never reach the weights twice. */
  applied(batch: number, sinceTarget: number): void {
    this.#ledger = apply(this.#ledger, batch);
    this.#sinceTarget = sinceTarget;
  }

  /** Batches applied since the last target was heard, in this life or before. */
  get sinceTarget(): number {
    return this.#sinceTarget;
  }

  get cursor(): number {
    return this.#ledger.ranges.at(-1)?.[1] ?? -1;
  }

  get isSaving(): boolean {
    return this.#store.isWriting;
  }

  /** Waits for a save under way, then saves what is now. Rejects with what went wrong; earlier files are untouched then. */
  async save(end?: RunEnd): Promise<void> {
    await this.#store.idle();
    const checkpoint = this.#checkpoint(end);
    try {
      await this.#store.write(checkpoint);
    } catch (error) {
      // Only the tidying after it failed.
      if (error instanceof CheckpointWriteError && error.durable) this.#isDurable(checkpoint);
      throw error;
    }
    this.#isDurable(checkpoint);
  }

  /** Saves what is at this very moment as a share of the network's snapshot; the digest of the file, once it is durable. */
  snapshot(name: string, kept: readonly string[]): Promise<string> {
    return this.#snapshots.write(name, this.#checkpoint(undefined), kept);
  }

  #isDurable({ cursor }: Checkpoint): void {
    this.durable = Math.max(this.durable, cursor);
  }

  report(): LayerReport {
    const { layer, incarnation } = this.#options;
    const digest = weightsDigest(this.#state().tensors);
    return { layer, applied: toRanges(this.#ledger), restarts: incarnation - 1, digest };
  }

  #checkpoint(end: RunEnd | undefined): Checkpoint {
    const { tensors, counters } = this.#state();
    const ledger = toRanges(this.#ledger);
    const pending = this.#pending();
    const notes = {
      ...(end?.test && { test: JSON.stringify(end.test) }),
      ...(end?.isReleased && { [RELEASED]: "true" }),
      ...(pending && { [NOTES]: JSON.stringify(pending) }),
    };
    return {
      ...this.#options,
      cursor: this.cursor,
      finished: end !== undefined,
      ledger,
      counters: { ...counters, [SINCE_TARGET]: this.#sinceTarget },
      tensors,
      shapes: shapesOf(tensors),
      ...(Object.keys(notes).length > 0 && { notes }),
    };
  }
}

/** Whether the layer that saved this was released: then it holds the last batch, and no neighbour needs it any more. */
export function isReleased({ finished, notes }: Checkpoint): boolean {
  return finished && notes?.[RELEASED] === "true";
}
