import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { ConfigPath } from "./mistake.ts";
import { applyOverride } from "./overrides.ts";

/** What was written, and where: the text of a file with overrides laid over it. */
export interface ConfigSource {
  /** Maps, lists and scalars; nothing is known of their meaning yet. Undefined when the text is not YAML. */
  readonly value: unknown;
  /** What is not YAML, and overrides that fit nowhere: "configs/x.yaml:3:1: …". */
  readonly mistakes: readonly string[];
  placeOf(path: ConfigPath): Place;
}

/** "configs/x.yaml:12:5" or "--set learning.x"; places sort by `order`. */
interface Place {
  readonly text: string;
  readonly order: number;
}

/** Reads the text of `file`, then each override in turn. Never throws. */
export function readSource(text: string, file: string, overrides: readonly string[]): ConfigSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { text: `${file}:${line}:${col}`, order: offset };
  };
  const inFile = readDocument(document, (offset) => at(offset).text);
  const overlaid = overlay(inFile.value, inFile.value === undefined ? [] : overrides);
  return {
    value: overlaid.value,
    mistakes: [...inFile.mistakes, ...overlaid.mistakes],
    placeOf(path) {
      const { offset, isWhole } = find(document, path);
      return placeAmong(overlaid.applied, path, isWhole) ?? at(offset);
    },
  };
}

function readDocument(
  document: Document.Parsed,
  place: (offset: number) => string,
): { value: unknown; mistakes: string[] } {
  const mistakes = document.errors.map((error) => `${place(error.pos[0])}: not YAML: ${error.message}`);
  if (mistakes.length > 0) return { value: undefined, mistakes };
  try {
    return { value: document.toJS() ?? {}, mistakes };
  } catch (cause) {
    // Aliases that multiply beyond reason.
    return { value: undefined, mistakes: [`${place(0)}: not YAML: ${(cause as Error).message}`] };
  }
}

function overlay(value: unknown, overrides: readonly string[]) {
  const applied: (readonly string[])[] = [];
  const mistakes: string[] = [];
  for (const override of overrides) {
    const result = applyOverride(value, override);
    if ("mistake" in result) {
      mistakes.push(result.mistake);
    } else {
      value = result.value;
      applied.push(result.path);
    }
  }
  return { value, applied, mistakes };
}

/** The last override that set `path` or what holds it; for a path the file has not, also one that set a part of it. */
function placeAmong(
  applied: readonly (readonly string[])[],
  path: ConfigPath,
  isInFile: boolean,
): Place | undefined {
  const keys = path.map(String);
  const index = applied.findLastIndex(
    (override) => isWithin(override, keys) || (!isInFile && isWithin(keys, override)),
  );
  if (index === -1) return undefined;
  // After everything in the file, in the order given.
  return {
    text: `--set ${applied[index]!.join(".")}`,
    order: Number.MAX_SAFE_INTEGER - applied.length + index,
  };
}

function isWithin(outer: readonly string[], inner: readonly string[]): boolean {
  return outer.every((key, depth) => key === inner[depth]);
}

/** Where the deepest part of `path` that was written begins (a map's entry at its key), and whether that is all of it. */
function find(document: Document, path: ConfigPath): { offset: number; isWhole: boolean } {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of path) {
    const entry = entryOf(isAlias(node) ? node.resolve(document) : node, String(key));
    if (entry === undefined) return { offset, isWhole: false };
    node = entry.node;
    offset = entry.offset;
  }
  return { offset, isWhole: true };
}

function entryOf(parent: unknown, key: string): { node: unknown; offset: number } | undefined {
  if (isSeq<Node>(parent)) {
    const node = parent.items[Number(key)];
    return node && { node, offset: node.range?.[0] ?? 0 };
  }
  if (!isMap<Node, Node | null>(parent)) return undefined;
  const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  return pair && { node: pair.value, offset: pair.key.range?.[0] ?? 0 };
}
