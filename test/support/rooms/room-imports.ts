import { posix } from "node:path";
import ts from "typescript";
import { exceptions, page, rules } from "./rules.ts";
import { specifierOf, walk } from "./walk.ts";

interface Import {
  readonly from: string;
  readonly isType: boolean;
}

export function forbiddenImports(file: string, text: string): string[] {
  return importsOf(file, text).flatMap((each) => {
    const wrong = whatIsWrong(file, each);
    return wrong === undefined
      ? []
      : [`${file} imports ${each.isType ? "types of " : ""}"${each.from}": ${wrong}`];
  });
}

function whatIsWrong(file: string, { from, isType }: Import): string | undefined {
  const target = from.startsWith(".") ? posix.join(posix.dirname(file), from) : from;
  if (isOfPage(file)) return isType || mayBeInPage(target) ? undefined : "it cannot be in the page";
  if (isOfPage(target) && !isType) return "it is for a browser";
  const room = roomOf(file);
  const rule = rules[room];
  if (rule === undefined || exceptions[file]?.includes(from)) return undefined;
  if (!from.startsWith(".")) {
    const isAllowed = rule.outside === "any" || (rule.outside === "node" && from.startsWith("node:"));
    return isAllowed
      ? undefined
      : `${room} may import ${rule.outside === "node" ? "only Node's own modules" : "nothing"} from outside`;
  }
  const other = roomOf(target);
  const allowed = isType ? [...rule.rooms, ...rule.types] : rule.rooms;
  if (other === room || allowed.includes(other)) return undefined;
  return `${room} may import ${isType ? "types of " : ""}${allowed.join(", ") || "no other room"}, not ${other}`;
}

function isOfPage(path: string): boolean {
  return path.startsWith(`${page.folder}/`);
}

function mayBeInPage(target: string): boolean {
  return isOfPage(target) || page.values.includes(target) || page.packages.includes(target);
}

/** "shared/math" for shared/math/…, and the path itself elsewhere. */
export function roomOf(path: string): string {
  return /^(?:(?:shared|services)\/[^/]+(?=\/)|deploy(?=\/))/.exec(path)?.[0] ?? path;
}

/** By room the others that it knows. */
export function roomsOf(files: readonly (readonly [file: string, text: string])[]): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>();
  for (const [file, text] of files) {
    const room = roomOf(file);
    const known = rooms.get(room) ?? new Set();
    rooms.set(room, known);
    for (const { from } of importsOf(file, text)) {
      const other = from.startsWith(".") ? roomOf(posix.join(posix.dirname(file), from)) : room;
      if (other !== room) known.add(other);
    }
  }
  return rooms;
}

/** A way from a room back to itself; undefined where there is none. */
export function circleIn(rooms: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const walkOn = (way: readonly string[]): string[] | undefined => {
    const room = way.at(-1)!;
    const before = way.indexOf(room);
    if (before < way.length - 1) return way.slice(before);
    if (done.has(room)) return undefined;
    for (const next of rooms.get(room) ?? []) {
      const found = walkOn([...way, next]);
      if (found) return found;
    }
    done.add(room);
    return undefined;
  };
  for (const room of rooms.keys()) {
    const found = walkOn([room]);
    if (found) return found;
  }
  return undefined;
}

export function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  walk(file, text, (node) => {
    const specifier = specifierOf(node);
    if (specifier && ts.isStringLiteralLike(specifier))
      found.push({ from: specifier.text, isType: isTypeOnly(node) });
  });
  return found;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (!ts.isImportDeclaration(node) || !node.importClause) return false;
  const { phaseModifier, name, namedBindings } = node.importClause;
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  return (
    name === undefined &&
    !!namedBindings &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every((each) => each.isTypeOnly)
  );
}
