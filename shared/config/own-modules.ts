import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import type { DataSetKind } from "../data/data-set-kind.ts";
import { addDataSetKind } from "../data/kinds.ts";
import { addLayerKind } from "../layers/kinds.ts";
import type { LayerKind } from "../layers/layer-kind.ts";
import { type ConfigPath, type Mistake, mistake } from "./mistake.ts";
import { bundleModule, evaluateModule } from "./module-text.ts";
import type { Notes } from "./notes.ts";

/** A kind of the user's own, from a module that the config names by its path. */
export interface OwnModule<Kind> {
  /** As the config says it, and as its complete form does: "../mine/my-layer.ts", "./my-layer.ts". */
  readonly path: string;
  readonly name: string;
  /** Of the text, SHA-256, hex. */
  readonly digest: string;
  readonly text: string;
  readonly kind: Kind;
  /** What code of the kind gives; undefined, with a note, where it throws. */
  run<T>(code: () => T, at: ConfigPath, notes: Notes): T | undefined;
}

export interface OwnModules {
  readonly layers: readonly OwnModule<LayerKind>[];
  readonly data: readonly OwnModule<DataSetKind>[];
  /** Paths of those that cannot be used, and why. */
  readonly failed: ReadonlySet<unknown>;
  readonly mistakes: readonly Mistake[];
}

export const noModules: OwnModules = { layers: [], data: [], failed: new Set(), mistakes: [] };

/** All texts of one config together: its workers tell it to the hub in one message. */
const MOST_CHARACTERS = 128 * 1024;

/** What a kind must have, besides `about` and `fields`. */
const LAYER_PARTS = ["size", "transform", "describe"];
const DATA_PARTS = ["facts", "open"];

/**
 * The modules that a config names, `value` being all that it says and `file` where it stands: their texts are in its map
 * `modules`, or in files beside it. Their code is run. Never throws.
 */
export function readModules(value: unknown, file: string): OwnModules {
  const mistakes: Mistake[] = [];
  const failed = new Set<unknown>();
  const texts = new Map<string, string>();
  const read = <Kind>(
    named: readonly Named[],
    parts: readonly string[],
    add: (digest: string, kind: Kind) => void,
  ) =>
    named.flatMap(({ path, at }) => {
      try {
        const found = readModule<Kind>(path, { value, file, parts, texts });
        add(found.digest, found.kind);
        return [found];
      } catch (cause) {
        failed.add(path);
        mistakes.push(mistake(at, path, (cause as Error).message));
        return [];
      }
    });
  const layers = read<LayerKind>(layerModules(value), LAYER_PARTS, addLayerKind);
  const data = read<DataSetKind>(dataModules(value), DATA_PARTS, addDataSetKind);
  return { layers, data, failed, mistakes };
}

/** For the complete config: nothing where there are no modules. */
export function textsOf({ layers, data }: OwnModules): { readonly modules?: Record<string, string> } {
  const all = [...layers, ...data];
  return all.length > 0 ? { modules: Object.fromEntries(all.map(({ name, text }) => [name, text])) } : {};
}

interface Named {
  readonly path: string;
  readonly at: ConfigPath;
}

function layerModules(value: unknown): Named[] {
  const layers = entryOf(value, "layers");
  const paths = (Array.isArray(layers) ? layers : []).flatMap((layer, index) => {
    const path = entryOf(layer, "kind");
    return isPath(path) ? [{ path, at: ["layers", index, "kind"] }] : [];
  });
  return paths.filter(({ path }, index) => paths.findIndex((other) => other.path === path) === index);
}

function dataModules(value: unknown): Named[] {
  const path = entryOf(entryOf(value, "data"), "set");
  return isPath(path) ? [{ path, at: ["data", "set"] }] : [];
}

function isPath(name: unknown): name is string {
  return typeof name === "string" && /^(\.{0,2}\/)/.test(name);
}

interface Sources {
  readonly value: unknown;
  readonly file: string;
  readonly parts: readonly string[];
  /** Of the modules read so far, by name. */
  readonly texts: Map<string, string>;
}

/** Throws an Error whose message says what is wrong with it. */
function readModule<Kind>(path: string, { value, file, parts, texts }: Sources): OwnModule<Kind> {
  const name = `./${basename(path)}`;
  const carried = entryOf(entryOf(value, "modules"), path);
  const text = typeof carried === "string" ? carried : bundleModule(resolve(dirname(file), path));
  if (texts.has(name) && texts.get(name) !== text)
    throw new Error(`there is another ${name}, give one of them another name`);
  const length = [...texts.values()].reduce((sum, each) => sum + each.length, text.length);
  if (length > MOST_CHARACTERS)
    throw new Error(
      `the modules have ${length} characters with what they import, at most ${MOST_CHARACTERS}`,
    );
  texts.set(name, text);
  const digest = createHash("sha256").update(text).digest("hex");
  const kind = kindFrom(evaluateModule(text, { name, digest }), parts) as Kind;
  return { path, name, digest, text, kind, run };
}

function run<T>(this: { readonly path: string }, code: () => T, at: ConfigPath, notes: Notes): T | undefined {
  try {
    return code();
  } catch (cause) {
    notes.wrong(at, this.path, `its code throws: ${cause instanceof Error ? cause.message : String(cause)}`);
    return undefined;
  }
}

function kindFrom(exported: unknown, parts: readonly string[]): unknown {
  if (typeof exported !== "object" || exported === null)
    throw new Error("it has no default export that is a kind");
  const missing = parts.filter((part) => typeof entryOf(exported, part) !== "function");
  if (missing.length > 0) throw new Error(`its default export has no function ${missing.join(", ")}`);
  if (typeof entryOf(exported, "about") !== "string")
    throw new Error("its default export has no text `about`");
  const fields = entryOf(exported, "fields");
  if (typeof fields !== "object" || fields === null)
    throw new Error("its default export has no map `fields`");
  const [wrong] = Object.entries(fields).find(([, field]) => typeof field?.safeParse !== "function") ?? [];
  if (wrong !== undefined)
    throw new Error(`its field ${wrong} is no schema: make it of text(…), wholeFrom(…) and so on`);
  return exported;
}

function entryOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
