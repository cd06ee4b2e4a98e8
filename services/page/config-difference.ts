/** Where two configs differ: the path of the value, and what it is in each. */
export interface Difference {
  readonly path: string;
  readonly one: string;
  readonly other: string;
}

/** In the order of the first, then what only the second has. */
export function differences(one: unknown, other: unknown): Difference[] {
  const [mine, theirs] = [leaves(one), leaves(other)];
  const paths = [...new Set([...mine.keys(), ...theirs.keys()])];
  return paths
    .map((path) => ({ path, one: mine.get(path) ?? "–", other: theirs.get(path) ?? "–" }))
    .filter((each) => each.one !== each.other);
}

function leaves(value: unknown, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null) return new Map([[path, String(value)]]);
  // Lists of plain values are one value to a reader.
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) {
    return new Map([[path, value.join(", ")]]);
  }
  const inner = Object.entries(value).map(([key, each]) =>
    leaves(each, step(path, key, Array.isArray(value))),
  );
  return new Map(inner.flatMap((each) => [...each]));
}

/** Layers count from 1, as everywhere. */
function step(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${Number(key) + 1}]`;
  return path === "" ? key : `${path}.${key}`;
}
