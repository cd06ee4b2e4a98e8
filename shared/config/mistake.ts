/** Keys and indexes from the top of a config: ["layers", 0, "outputs"]. */
export type ConfigPath = readonly (string | number)[];

/** Something in a config that cannot stay so (or, as a warning, should not). `says` is a sentence that names the path. */
export interface Mistake {
  readonly path: ConfigPath;
  readonly says: string;
}

/** "layers.0.outputs is 3: <what is wrong>", or "… is missing: …". */
export function mistake(path: ConfigPath, value: unknown, wrong: string): Mistake {
  return { path, says: `${path.join(".") || "the configuration"} is ${describe(value)}: ${wrong}` };
}

function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  // JSON has no word for infinity.
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}
