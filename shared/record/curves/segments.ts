import type { Segment } from "../lines.ts";

/** Pieces of a curve: cut, joined and thinned so that sums over batches and targets stay what they were. */

export function batchesOf({ first, last }: Pick<Segment, "first" | "last">): number {
  return last - first + 1;
}

/** Of `segment` the batches `from` to `to` that it has, as if it had gone evenly; undefined if it has none of them. */
export function partOf(segment: Segment, from: number, to: number): Segment | undefined {
  const [first, last] = [Math.max(segment.first, from), Math.min(segment.last, to)];
  if (first > last) return undefined;
  if (first === segment.first && last === segment.last) return segment;
  const share = (last - first + 1) / batchesOf(segment);
  const { targets, spanMs } = segment;
  return {
    ...segment,
    first,
    last,
    spanMs: spanMs * share,
    ...(targets === undefined ? {} : { targets: targets * share }),
  };
}

/**
 * Neighbours as one: the loss weighed by batches, generator error, cosine and staleness by targets, spans added. Said by
 * the life and at the time of the last one. Throws when there is none.
 */
export function merge(segments: readonly Segment[]): Segment {
  const [head, tail] = [segments[0], segments.at(-1)];
  if (head === undefined || tail === undefined) throw new Error("Cannot merge segments: there are none");
  if (head === tail) return head;
  const targets = segments.some((each) => each.targets !== undefined) ? sum(segments, heard) : undefined;
  return {
    kind: "segment",
    worker: tail.worker,
    incarnation: tail.incarnation,
    at: tail.at,
    first: head.first,
    last: tail.last,
    spanMs: sum(segments, ({ spanMs }) => spanMs),
    ...defined({
      loss: mean(segments, ({ loss }) => loss, batchesOf),
      generatorError: mean(segments, ({ generatorError }) => generatorError, heard),
      cosine: mean(segments, ({ cosine }) => cosine, heard),
      staleness: mean(segments, ({ staleness }) => staleness, heard),
      targets,
    }),
  };
}

/**
 * At most `most` segments, in cells of equally many batches. Nothing is merged over a gap: where there are more unbroken
 * pieces than `most`, each becomes one segment.
 */
export function thin(segments: readonly Segment[], most: number): readonly Segment[] {
  if (segments.length <= most) return segments;
  const pieces =
    1 + segments.filter((each, index) => index > 0 && !follows(segments[index - 1]!, each)).length;
  const origin = segments[0]!.first;
  const cells = Math.max(1, most - pieces + 1);
  const width = Math.ceil((segments.at(-1)!.last - origin + 1) / cells);
  const groups: Segment[][] = [];
  for (const each of segments) {
    const group = groups.at(-1);
    const before = group?.at(-1);
    const cell = ({ first }: Segment) => Math.floor((first - origin) / width);
    if (group && before && follows(before, each) && cell(before) === cell(each)) group.push(each);
    else groups.push([each]);
  }
  return groups.map(merge);
}

export function follows(before: Segment, after: Segment): boolean {
  return after.first === before.last + 1;
}

function heard({ targets }: Segment): number {
  return targets ?? 0;
}

function sum(segments: readonly Segment[], of: (segment: Segment) => number): number {
  return segments.reduce((total, each) => total + of(each), 0);
}

/** Over those that have a value and some weight; undefined if none has. */
function mean(
  segments: readonly Segment[],
  figureOf: (segment: Segment) => number | undefined,
  weightOf: (segment: Segment) => number,
): number | undefined {
  const having = segments.filter((each) => figureOf(each) !== undefined && weightOf(each) > 0);
  const weight = sum(having, weightOf);
  return weight > 0 ? sum(having, (each) => figureOf(each)! * weightOf(each)) / weight : undefined;
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
