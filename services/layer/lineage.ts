import type { Checkpoint, Identity } from "../../shared/checkpoint/checkpoint.ts";
import { weightsDigest } from "../../shared/checkpoint/digest.ts";
import { apply, emptyLedger, fromRanges, type Ledger, toRanges } from "../../shared/checkpoint/ledger.ts";
import type { SnapshotStore } from "../../shared/checkpoint/snapshot-store.ts";
import { type CheckpointStore, CheckpointWriteError } from "../../shared/checkpoint/store.ts";
import { type Standing, standingAt } from "../../shared/delivery/standing.ts";
import { joined, type LayerState } from "../../shared/dni/layer-state.ts";
import { shapesOf } from "../../shared/math/parameter.ts";
import type { Notes } from "../../shared/telemetry/pending-lines.ts";
import type { LayerReport, TestResult } from "../../shared/wire/frames.ts";

/** Beside which word a checkpoint keeps what no hub had heard by then. */
export const NOTES = "unsaid";

interface LineageOptions extends Identity {
  readonly incarnation: number;
  readonly batches: number;
}

interface Stores {
  readonly checkpoints: CheckpointStore;
  readonly snapshots: SnapshotStore;
}

/** What is saved beside the cursor of what is sent: of a batch on, what must be kept for neighbours. */
interface Keeping {
  /** The lowest batch whose answer or output is still asked for if all go on from checkpoints of batch `cursor`. */
  lowestAsked(cursor: number, standing: Standing): number;
  /** See LayerWork. */
  keptSince(firstSent: number, learnt: number): Kept | undefined;
}

/** What a life after this one cannot compute. */
export interface Kept {
  /** What was sent, see SentLog. */
  readonly frames: Readonly<Record<string, Uint8Array>>;
  /** Of what waits for its target. */
  readonly evidence: LayerState | undefined;
}

const RELEASED = "released";

/** What a layer saves when it has learnt its last batch. */
interface RunEnd {
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
  readonly #keeping: Keeping;
  /** What a checkpoint of this moment must hold of delivery. */
  #standing = standingAt(-1);
  /** Once it was to be saved, all that is saved later says so, too: neighbours may have left on its word. */
  #end: RunEnd | undefined;
  /** Highest batch in a durable checkpoint; −1 before the first. */
  durable = -1;

  /** `pending` is asked at the moment of every checkpoint. */
  constructor(
    options: LineageOptions,
    stores: Stores,
    state: () => LayerState,
    pending: () => Notes | undefined,
    keeping: Keeping,
  ) {
    this.#options = options;
    this.#store = stores.checkpoints;
    this.#snapshots = stores.snapshots;
    this.#state = state;
    this.#pending = pending;
    this.#keeping = keeping;
  }

  /** Goes on where this checkpoint was taken. */
  continueFrom(checkpoint: Checkpoint): void {
    this.#ledger = fromRanges(checkpoint.ledger);
    this.#standing = standingIn(checkpoint);
    this.#end = endIn(checkpoint);
    this.durable = checkpoint.cursor;
  }

  /** Throws if the batch is not the next one: it must never reach the weights twice. */
  applied(batch: number): void {
    this.#ledger = apply(this.#ledger, batch);
  }

  stands(standing: Standing): void {
    this.#standing = standing;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get cursor(): number {
    return this.#ledger.ranges.at(-1)?.[1] ?? -1;
  }

  get isSaving(): boolean {
    return this.#store.isWriting;
  }

  /** Waits for a save under way, then saves what is now. Rejects with what went wrong; earlier files are untouched then. */
  async save(end?: RunEnd): Promise<void> {
    if (end) this.#end = { ...this.#end, ...end, test: end.test ?? this.#end?.test };
    // Else at once, before the next batch is applied.
    if (this.isSaving) await this.#store.idle();
    const checkpoint = this.#checkpoint(this.#end);
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
    const firstSent = Math.max(
      this.#standing.firstSent,
      this.#keeping.lowestAsked(this.cursor, this.#standing),
    );
    const kept = this.#keeping.keptSince(firstSent, this.#standing.learnt);
    const { tensors, counters } = joined(this.#state(), kept?.evidence);
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
      counters: { ...counters, ...countersOf({ ...this.#standing, firstSent }) },
      tensors,
      shapes: shapesOf(tensors),
      ...(kept && { frames: kept.frames }),
      ...(Object.keys(notes).length > 0 && { notes }),
    };
  }
}

/** Files from before frames were kept say "delivery." or "standing.": what they hold of sent batches is not read. */
const STANDING = "stands.";

function countersOf(standing: Standing): Record<string, number> {
  return Object.fromEntries(Object.entries(standing).map(([name, value]) => [STANDING + name, value]));
}

/** Where delivery stood; older files say only part of it. */
export function standingIn({ cursor, counters }: Pick<Checkpoint, "cursor" | "counters">): Standing {
  const known = Object.entries(standingAt(cursor));
  const found = known.map(([name, value]) => [name, counters[STANDING + name] ?? value]);
  return Object.fromEntries(found) as Standing;
}

function endIn(checkpoint: Checkpoint): RunEnd | undefined {
  if (!checkpoint.finished) return undefined;
  const test = checkpoint.notes?.test;
  return { test: test && JSON.parse(test), isReleased: isReleased(checkpoint) };
}

/** Whether the layer that saved this was released: then it holds the last batch, and no neighbour needs it any more. */
export function isReleased({ finished, notes }: Checkpoint): boolean {
  return finished && notes?.[RELEASED] === "true";
}
