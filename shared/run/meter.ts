/** What a worker has done lately, added up between two reports. Time is handed in, in milliseconds of any steady clock. */
export class Meter {
  #loss = new Mean();
  #staleness = new Mean();
  #squaredError = 0;
  #squaredTarget = 0;
  /** Batches done at recent reports, oldest first; the rate is over the span they cover. */
  readonly #marks: { readonly at: number; readonly batches: number }[] = [];
  #batches = 0;

  batch(loss?: number): void {
    this.#batches += 1;
    if (loss !== undefined) this.#loss.add(loss);
  }

  target(health: { readonly squaredError: number; readonly squaredTarget: number }, age: number): void {
    this.#squaredError += health.squaredError;
    this.#squaredTarget += health.squaredTarget;
    this.#staleness.add(age);
  }

  /** Figures since the last report (undefined where nothing was seen), and batches a second over the last few seconds. */
  report(now: number): Figures {
    const generatorError = this.#squaredTarget > 0 ? this.#squaredError / this.#squaredTarget : undefined;
    const figures = { loss: this.#loss.value, generatorError, staleness: this.#staleness.value };
    this.#loss = new Mean();
    this.#staleness = new Mean();
    this.#squaredError = 0;
    this.#squaredTarget = 0;
    return { perSecond: this.#rate(now), ...figures };
  }

  #rate(now: number): number {
    this.#marks.push({ at: now, batches: this.#batches });
    while (this.#marks.length > 2 && now - this.#marks[0]!.at > RATE_SPAN_MS) this.#marks.shift();
    const oldest = this.#marks[0]!;
    return now > oldest.at ? ((this.#batches - oldest.batches) * 1000) / (now - oldest.at) : 0;
  }
}

export interface Figures {
  readonly perSecond: number;
  readonly loss: number | undefined;
  /** Σ|guess − target|² / Σ|target|². */
  readonly generatorError: number | undefined;
  /** Mean age of the targets, in batches. */
  readonly staleness: number | undefined;
}

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
