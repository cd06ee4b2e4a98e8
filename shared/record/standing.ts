import { follows, partOf, thin } from "./curves/segments.ts";
import type { Evaluation, EventLine, MetricLine, Segment } from "./lines.ts";
import { byPlace } from "./worker-name.ts";

/** Batches that nobody said anything of, though later ones were. */
interface Gap {
  readonly first: number;
  readonly last: number;
}

/**
 * What stands of a record that was only ever appended to: of every worker each batch at most once, by the life whose work
 * is in the weights. No Node, no clock: the hub, the page and the command line read with the same eyes.
 *
 * A life's beginning (the lowest batch it speaks of, or one after the checkpoint it restored) replaces what older lives
 * said from there on, whole segments of theirs, since none reaches across a checkpoint; should one do so all the same, it
 * is cut. What an older life says late, of batches a newer one has begun at, does not count. What one life says again
 * counts once. The order in which lives are heard does not matter.
 */
export class StandingRecord {
  readonly #workers = new Map<string, WorkerCurve>();
  readonly #most: number;

  /** `most`: segments kept of a worker, and evaluations; beyond it they are thinned to half as many. */
  constructor({ most = Number.POSITIVE_INFINITY }: { readonly most?: number } = {}) {
    this.#most = most;
  }

  /** Events may be added too: they tell where a life began before it has learnt anything. */
  add(line: MetricLine | EventLine): void {
    switch (line.kind) {
      case "segment":
        return this.#curveOf(line.worker).add(line);
      case "event":
        if (line.name === "began") this.#curveOf(line.worker).begin(line.incarnation, 0);
        if (line.name === "restored") {
          this.#curveOf(line.worker).begin(line.incarnation, (line.batch ?? -1) + 1);
        }
        return;
      case "evaluation":
        return this.#curveOf(line.worker).addEvaluation(line);
    }
  }

  /** Of which something is known, the source first and the layers in their order. */
  get workers(): string[] {
    return [...this.#workers.keys()].toSorted(byPlace);
  }

  /** In order and disjoint, at most `points` of them (see `thin`). */
  segments(worker: string, points = Number.POSITIVE_INFINITY): readonly Segment[] {
    return thin(this.#workers.get(worker)?.segments ?? [], points);
  }

  /** Between the first and the last batch that is known of, and before the first. */
  gaps(worker: string): Gap[] {
    let next = 0;
    const gaps: Gap[] = [];
    for (const { first, last } of this.segments(worker)) {
      if (first > next) gaps.push({ first: next, last: first - 1 });
      next = last + 1;
    }
    return gaps;
  }

  /** In order of their batches. */
  get evaluations(): Evaluation[] {
    const all = [...this.#workers.values()].flatMap(({ evaluations }) => [...evaluations]);
    return all.toSorted((a, b) => a.batch - b.batch);
  }

  /** All of it as lines again, at most `points` segments a worker. */
  lines(points?: number): MetricLine[] {
    return [...this.workers.flatMap((worker) => this.segments(worker, points)), ...this.evaluations];
  }

  #curveOf(worker: string): WorkerCurve {
    const known = this.#workers.get(worker);
    if (known !== undefined) return known;
    const curve = new WorkerCurve(this.#most);
    this.#workers.set(worker, curve);
    return curve;
  }
}

export function standing(lines: Iterable<MetricLine | EventLine>): StandingRecord {
  const record = new StandingRecord();
  for (const line of lines) record.add(line);
  return record;
}

/** Lives of a worker whose beginnings are remembered; what older ones still say late is believed from there on. */
const MOST_LIVES = 1_000;

class WorkerCurve {
  /** Disjoint, in order. */
  #segments: Segment[] = [];
  readonly #evaluations = new Map<number, Evaluation>();
  /** The lowest batch each life has spoken of. */
  readonly #beginnings = new Map<number, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get evaluations(): Iterable<Evaluation> {
    return this.#evaluations.values();
  }

  begin(life: number, first: number): void {
    const known = this.#beginnings.get(life);
    if (known !== undefined && known <= first) return;
    this.#beginnings.set(life, first);
    if (this.#beginnings.size > MOST_LIVES) this.#beginnings.delete(Math.min(...this.#beginnings.keys()));
    this.#replace(first, Number.POSITIVE_INFINITY, (segment) => segment.incarnation < life);
    for (const { batch, incarnation } of this.#evaluations.values()) {
      // At `first` itself it was made with the weights this life began with.
      if (incarnation < life && batch > first) this.#evaluations.delete(batch);
    }
  }

  addEvaluation(evaluation: Evaluation): void {
    const { batch, incarnation } = evaluation;
    const before = this.#evaluations.get(batch);
    if (before !== undefined && before.incarnation > incarnation) return;
    if (batch > this.#beginningAfter(incarnation)) return;
    this.#evaluations.set(batch, evaluation);
    if (this.#evaluations.size > this.#most) this.#thinEvaluations();
  }

  add(segment: Segment): void {
    const { incarnation, first } = segment;
    this.begin(incarnation, first);
    const standing = partOf(segment, first, this.#beginningAfter(incarnation) - 1);
    if (standing === undefined) return;
    const { last } = standing;
    this.#replace(first, last, (other) => other.incarnation === incarnation);
    this.#segments.splice(this.#placeOf(first), 0, standing);
    if (this.#segments.length > this.#most) {
      this.#segments = [...thin(this.#segments, Math.ceil(this.#most / 2))];
    }
  }

  /** Every other one goes; the newest stays. */
  #thinEvaluations(): void {
    const batches = [...this.#evaluations.keys()].toSorted((a, b) => b - a);
    for (const [index, batch] of batches.entries()) if (index % 2 === 1) this.#evaluations.delete(batch);
  }

  #beginningAfter(life: number): number {
    let beginning = Number.POSITIVE_INFINITY;
    for (const [other, first] of this.#beginnings) if (other > life) beginning = Math.min(beginning, first);
    return beginning;
  }

  /** Takes batches `first` to `last` out of those segments that give way. */
  #replace(first: number, last: number, givesWay: (segment: Segment) => boolean): void {
    let from = this.#placeOf(first);
    if (from > 0 && this.#segments[from - 1]!.last >= first) from -= 1;
    const touched = this.#segments.slice(from).filter((each) => each.first <= last);
    const left = touched.flatMap((each) => {
      if (!givesWay(each)) return [each];
      const parts = [partOf(each, 0, first - 1), partOf(each, last + 1, Number.POSITIVE_INFINITY)];
      return parts.filter((part) => part !== undefined);
    });
    this.#segments.splice(from, touched.length, ...left);
  }

  /** Where a segment that begins at `first` belongs. */
  #placeOf(first: number): number {
    const { length } = this.#segments;
    // Nearly always at the end.
    if (length === 0 || this.#segments[length - 1]!.first < first) return length;
    let [low, high] = [0, length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#segments[middle]!.first < first) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Runs of segments without a gap between them: what may be drawn as one line. */
export function pieces(segments: readonly Segment[]): Segment[][] {
  const all: Segment[][] = [];
  for (const each of segments) {
    const piece = all.at(-1);
    if (piece && follows(piece.at(-1)!, each)) piece.push(each);
    else all.push([each]);
  }
  return all;
}
