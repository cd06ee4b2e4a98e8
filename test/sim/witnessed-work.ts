import type { Sending } from "../../services/layer/computed.ts";
import { WatchedWork } from "../../services/layer/look/watched-work.ts";
import type { GeneratorHealth } from "../../shared/dni/generators/linear-generator.ts";
import type { LayerState } from "../../shared/dni/layer-state.ts";
import type { BatchFrame, CorrectionFrame, TargetFrame, Tensor } from "../../shared/wire/frames.ts";

export const WITNESS = "witness";
const CORRECTED = "corrected";

export interface WorkWatch {
  /** Asked before every update: whether its weights run away now. */
  isPoisoned(): boolean;
  applied(witness: readonly number[], sinceTarget: number, kept: number): void;
  /** What it keeps of a batch goes to its successor once more. */
  sentAgain(): void;
  /** A locked layer goes backward through batch `through`, by the gradient of batch `of`. */
  passedBackward(through: number, of: number | undefined): void;
  /** What its input came to is learnt of batch `shown`, from a correction of batch `of`. */
  corrected(shown: number, of: number, lastApplied: number, lastCorrected: number): void;
}

/**
 * The learning side with a witness among its tensors: the batches that are in the weights, in order. It is saved with
 * them, and restored with them, whatever the cursor beside them says.
 */
export class WitnessedWork extends WatchedWork {
  readonly #most: number;
  readonly #watch: WorkWatch;
  #applied: number[] = [];
  #corrected = -1;
  readonly #kept = new Set<number>();
  #sinceTarget = 0;

  constructor(build: ConstructorParameters<typeof WatchedWork>, watch: WorkWatch) {
    super(...build);
    this.#most = build[1].run.batches;
    this.#watch = watch;
  }

  override update(frame: BatchFrame) {
    this.#mayBePoisoned();
    const result = super.update(frame);
    this.#note(frame.batch);
    return result;
  }

  override sendAgain(sending: Sending) {
    this.#watch.sentAgain();
    return super.sendAgain(sending);
  }

  override correct(shown: BatchFrame, correction: CorrectionFrame) {
    this.#watch.corrected(shown.batch, correction.batch, this.#applied.at(-1) ?? -1, this.#corrected);
    this.#corrected = shown.batch;
    return super.correct(shown, correction);
  }

  override passBackward(
    frame: BatchFrame,
    ticket: number,
    target: TargetFrame,
    learns: boolean,
  ): Tensor | undefined {
    this.#watch.passedBackward(frame.batch, target.batch);
    this.#mayBePoisoned();
    const result = super.passBackward(frame, ticket, target, learns);
    if (learns) this.#note(frame.batch);
    return result;
  }

  override awaits(ticket: number): void {
    super.awaits(ticket);
    this.#kept.add(ticket);
  }

  override learn(ticket: number, target: TargetFrame): GeneratorHealth | undefined {
    this.#kept.delete(ticket);
    this.#sinceTarget = 0;
    return super.learn(ticket, target);
  }

  override forget(tickets: readonly number[]): void {
    super.forget(tickets);
    for (const ticket of tickets) this.#kept.delete(ticket);
  }

  override state(): LayerState {
    const { tensors, counters } = super.state();
    // Room for one too many, so that a batch applied twice does not go unseen.
    const witness = new Float32Array(this.#most + 1).fill(-1);
    witness.set(this.#applied.slice(0, witness.length));
    const corrected = Float32Array.of(this.#corrected);
    return { tensors: { ...tensors, [WITNESS]: witness, [CORRECTED]: corrected }, counters };
  }

  override restore(state: LayerState): void {
    super.restore(state);
    this.#applied = witnessIn(state.tensors);
    this.#corrected = state.tensors[CORRECTED]![0]!;
  }

  #mayBePoisoned(): void {
    if (this.#watch.isPoisoned()) super.state().tensors["layer.weight"]!.fill(Number.NaN);
  }

  #note(batch: number): void {
    this.#applied.push(batch);
    this.#sinceTarget += 1;
    this.#watch.applied(this.#applied, this.#sinceTarget, this.#kept.size);
  }
}

export function witnessIn(tensors: Readonly<Record<string, Float32Array>>): number[] {
  return [...(tensors[WITNESS] ?? [])].filter((batch) => batch >= 0);
}
