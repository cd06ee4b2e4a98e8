import { type Document, parseDocument } from "yaml";

/** A config's raw value with one override laid over it, or why that cannot be. */
type Overridden =
  | { readonly value: unknown; readonly path: readonly string[] }
  | { readonly mistake: string };

/** Lays "path.to.key=value", the value in YAML, over `value`, which stays as it is. Maps grow, lists do not. */
export function applyOverride(value: unknown, override: string): Overridden {
  const equals = override.indexOf("=");
  if (equals < 1) return { mistake: `--set ${override}: expected path=value` };
  const name = override.slice(0, equals);
  const entry = parseDocument(override.slice(equals + 1), { prettyErrors: false });
  if (entry.errors[0]) return { mistake: `--set ${name}: not YAML: ${entry.errors[0].message}` };
  const path = name.split(".");
  const read = plainOf(entry);
  if ("mistake" in read) return { mistake: `--set ${name}: not YAML: ${read.mistake}` };
  const changed = setIn(withoutRival(value, name), path, read.value);
  return "wrong" in changed ? { mistake: `--set ${name}: ${changed.wrong}` } : { value: changed.value, path };
}

function plainOf(entry: Document.Parsed): { readonly value: unknown } | { readonly mistake: string } {
  try {
    return { value: entry.toJS() };
  } catch (cause) {
    // An alias of nothing, or aliases that multiply beyond reason.
    return { mistake: (cause as Error).message };
  }
}

type Changed = { readonly value: unknown } | { readonly wrong: string };

function setIn(value: unknown, path: readonly string[], entry: unknown, depth = 0): Changed {
  const key = path[depth];
  if (key === undefined) return { value: entry };
  const here = path.slice(0, depth).join(".") || "the configuration";
  if (Array.isArray(value)) return setInList(value, key, here, (old) => setIn(old, path, entry, depth + 1));
  if (!isMap(value ?? {})) return { wrong: `${here} is ${JSON.stringify(value)}, it has no ${key}` };
  const map = (value ?? {}) as Record<string, unknown>;
  const changed = setIn(Object.hasOwn(map, key) ? map[key] : undefined, path, entry, depth + 1);
  return "wrong" in changed ? changed : { value: { ...map, [key]: changed.value } };
}

function setInList(list: unknown[], key: string, here: string, change: (old: unknown) => Changed): Changed {
  if (!/^\d+$/.test(key) || Number(key) >= list.length) {
    return { wrong: `${here} has entries 0 to ${list.length - 1}, there is no ${key}` };
  }
  const changed = change(list[Number(key)]);
  return "wrong" in changed ? changed : { value: list.with(Number(key), changed.value) };
}

// A file says how long a run is in epochs or in batches; an override of the other one replaces it.
function withoutRival(value: unknown, name: string): unknown {
  const rival = name === "run.batches" ? "epochs" : name === "run.epochs" ? "batches" : undefined;
  if (rival === undefined || !isMap(value) || !isMap(value.run)) return value;
  const { [rival]: _, ...run } = value.run;
  return { ...value, run };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
