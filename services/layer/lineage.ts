import type { Checkpoint, Identity } from "../../shared/checkpoint/checkpoint.ts";
import { weightsDigest } from "../../shared/checkpoint/digest.ts";
import { apply, emptyLedger, fromRanges, type Ledger, toRanges } from "../../shared/checkpoint/ledger.ts";
import type { SnapshotStore } from "../../shared/checkpoint/snapshot-store.ts";
import { type CheckpointStore, CheckpointWriteError } from "../../shared/checkpoint/store.ts";
import type { LayerState } from "../../shared/dni/layer-state.ts";
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

/** What this layer has applied in its durable life, and how it is saved: state and cursor in one file. */
export class Lineage {
  readonly #options: LineageOptions;
  readonly #store: CheckpointStore;
  readonly #snapshots: SnapshotStore;
  readonly #state: () => LayerState;
  readonly #unsaid: () => Notes | undefined;
  #ledger: Ledger = emptyLedger;
  /** Highest batch in a durable checkpoint; −1 before the first. */
  durable = -1;

  /** `unsaid` is asked at the moment of every checkpoint. */
  constructor(
    options: LineageOptions,
    stores: Stores,
    state: () => LayerState,
    unsaid: () => Notes | undefined,
  ) {
    this.#options = options;
    this.#store = stores.checkpoints;
    this.#snapshots = stores.snapshots;
    this.#state = state;
    this.#unsaid = unsaid;
  }

  /** Goes on where this checkpoint was taken. */
  continueFrom(checkpoint: Checkpoint): void {
    this.#ledger = fromRanges(checkpoint.ledger);
    this.durable = checkpoint.cursor;
  }

  /** Throws if the batch is not the next one: it must never reach the weights twice. */
  applied(batch: number): void {
    this.#ledger = apply(this.#ledger, batch);
  }

  get cursor(): number {
    return this.#ledger.ranges.at(-1)?.[1] ?? -1;
  }

  get isSaving(): boolean {
    return this.#store.isWriting;
  }

  /** Waits for a save under way, then saves what is now. Rejects with what went wrong; earlier files are untouched then. */
  async save(end?: { readonly test: TestResult | undefined }): Promise<void> {
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

  #checkpoint(end: { readonly test: TestResult | undefined } | undefined): Checkpoint {
    const { tensors, counters } = this.#state();
    const ledger = toRanges(this.#ledger);
    const unsaid = this.#unsaid();
    const notes = {
      ...(end?.test && { test: JSON.stringify(end.test) }),
      ...(unsaid && { [NOTES]: JSON.stringify(unsaid) }),
    };
    return {
      ...this.#options,
      cursor: this.cursor,
      finished: end !== undefined,
      ledger,
      counters,
      tensors,
      ...(Object.keys(notes).length > 0 && { notes }),
    };
  }
}
