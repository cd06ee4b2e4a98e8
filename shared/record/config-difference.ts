import { UNKNOWN } from "./numbers.ts";

/** Where configs differ: the path of the value, and what it is in each of them. */
interface Difference {
  readonly path: string;
  readonly values: readonly string[];
}

/** In the order of the first, then what only later ones have. */
export function differences(configs: readonly unknown[]): Difference[] {
  const all = configs.map((config) => leaves(config));
  const paths = [...new Set(all.flatMap((each) => [...each.keys()]))];
  return paths
    .map((path) => ({ path, values: all.map((each) => each.get(path) ?? UNKNOWN) }))
    .filter(({ values }) => new Set(values).size > 1);
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
