import type { GeneratorHealth } from "../../shared/dni/generators/linear-generator.ts";
import {
  addTargets,
  figuresOf,
  noTargets,
  type SegmentSums,
  type TargetSums,
} from "../../shared/record/curves/segment-sums.ts";

/**
 * What a worker has done lately, added up twice: between two reports, for the display, and by segments, for the
 * record. Time is handed in, in milliseconds of any steady clock.
 */
export class Meter {
  readonly #ended: (segment: Omit<SegmentSums, "at">) => void;
  #loss = new Mean();
  #targets = noTargets;
  #segment: OpenSegment | undefined;
  /** Heard since the last segment ended; they wait for a batch to be told with. */
  #segmentTargets = noTargets;
  #segmentFrom: number;
  /** Batches done at recent reports, oldest first; the rate is over the span they cover. */
  readonly #marks: { readonly at: number; readonly batches: number }[] = [];
  #batches = 0;

  /** `ended` is told of every segment, in order. */
  constructor(now: number, ended: (segment: Omit<SegmentSums, "at">) => void = () => undefined) {
    this.#segmentFrom = now;
    this.#ended = ended;
  }

  /** This batch was done for the first time in this life; head: with this mean loss. */
  batch(batch: number, loss?: number): void {
    this.#batches += 1;
    if (loss !== undefined) this.#loss.add(loss);
    this.#segment ??= { first: batch, last: batch, loss: undefined };
    this.#segment.last = batch;
    if (loss !== undefined) this.#segment.loss = (this.#segment.loss ?? 0) + loss;
  }

  /** A batch was done again, which counts as work and not for the record. */
  again(): void {
    this.#batches += 1;
  }

  target(health: Omit<GeneratorHealth, "cosine">, age: number): void {
    const { squaredError, squaredTarget, squaredGuess, product } = health;
    // Not `...health`: that alone took a hundredth of a layer's time.
    const sums: TargetSums = { count: 1, age, squaredError, squaredTarget, squaredGuess, product };
    this.#targets = addTargets(this.#targets, sums);
    this.#segmentTargets = addTargets(this.#segmentTargets, sums);
  }

  /** The segment under way ends here. What passed without a batch is no part of any. */
  endSegment(now: number): void {
    const segment = this.#segment;
    const from = this.#segmentFrom;
    this.#segment = undefined;
    this.#segmentFrom = now;
    if (!segment) return;
    const targets = this.#segmentTargets;
    this.#segmentTargets = noTargets;
    const { first, last, loss } = segment;
    this.#ended({
      first,
      last,
      spanMs: now - from,
      ...(loss !== undefined && { loss }),
      ...(targets.count > 0 && { targets }),
    });
  }

  /** Figures since the last report (undefined where nothing was seen), and batches a second over the last few seconds. */
  report(now: number): Figures {
    const { generatorError, cosine, staleness } =
      this.#targets.count > 0 ? figuresOf(this.#targets) : nothing;
    const figures = { loss: this.#loss.value, generatorError, cosine, staleness };
    this.#loss = new Mean();
    this.#targets = noTargets;
    return { perSecond: this.#rate(now), ...figures };
  }

  #rate(now: number): number {
    this.#marks.push({ at: now, batches: this.#batches });
    while (this.#marks.length > 2 && now - this.#marks[0]!.at > RATE_SPAN_MS) this.#marks.shift();
    const oldest = this.#marks[0]!;
    return now > oldest.at ? ((this.#batches - oldest.batches) * 1000) / (now - oldest.at) : 0;
  }
}

interface Figures {
  readonly perSecond: number;
  readonly loss: number | undefined;
  /** Σ|guess − target|² / Σ|target|². */
  readonly generatorError: number | undefined;
  /** Σ guess · target / (|guess| |target|). */
  readonly cosine: number | undefined;
  /** Mean age of the targets, in batches. */
  readonly staleness: number | undefined;
}

interface OpenSegment {
  readonly first: number;
  last: number;
  loss: number | undefined;
}

const nothing: Partial<Figures> = {};

const RATE_SPAN_MS = 5000;

class Mean {
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.#sum += value;
    this.#count += 1;
  }

  get value(): number | undefined {
    return this.#count > 0 ? this.#sum / this.#count : undefined;
  }
}
