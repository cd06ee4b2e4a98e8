/** Where a checkpoint stands among those of its layer: in which life it was saved, and after which batch. */
export type Place = readonly [incarnation: number, cursor: number];

/** Of one who begins with nothing. */
export const NOWHERE: Place = [0, -1];

export function placeOf(path: string): Place {
  const found = /checkpoint-(\d+)-(-1|\d+)\./.exec(path)!;
  return [Number(found[1]), Number(found[2])];
}

export function nameOf([incarnation, cursor]: Place): string {
  const padded = cursor < 0 ? String(cursor) : String(cursor).padStart(9, "0");
  return `checkpoint-${String(incarnation).padStart(6, "0")}-${padded}.safetensors`;
}

export function isOlder(one: Place, other: Place): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}

export function isSame(one: Place, other: Place): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

export function newestOf(places: readonly Place[]): Place | undefined {
  return places.reduce<Place | undefined>(
    (one, other) => (one && isOlder(other, one) ? one : other),
    undefined,
  );
}
