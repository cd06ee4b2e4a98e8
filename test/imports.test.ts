import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/** What a room may import besides its own files. Types cost nothing at run time, so they may come from further away. */
interface Rule {
  readonly rooms: readonly string[];
  readonly types: readonly string[];
  /** Modules of Node and packages. */
  readonly outside: "any" | "node" | "none";
}

const rules: Readonly<Record<string, Rule>> = {
  "shared/math": { rooms: [], types: [], outside: "none" },
  "shared/dni": { rooms: ["shared/math"], types: [], outside: "none" },
  "shared/schema": { rooms: [], types: [], outside: "any" },
  "shared/layers": { rooms: ["shared/math", "shared/dni", "shared/schema"], types: [], outside: "none" },
  "shared/data": { rooms: ["shared/schema"], types: [], outside: "node" },
  "shared/wire": { rooms: [], types: ["shared/math"], outside: "any" },
  "shared/delivery": { rooms: [], types: [], outside: "none" },
  "shared/checkpoint": { rooms: [], types: [], outside: "any" },
  "shared/link": { rooms: ["shared/wire"], types: [], outside: "any" },
  "shared/config": {
    rooms: ["shared/schema", "shared/layers", "shared/data", "shared/dni", "shared/wire"],
    types: ["shared/math", "shared/link"],
    outside: "any",
  },
  "shared/record": { rooms: ["shared/config", "shared/layers"], types: ["shared/wire"], outside: "any" },
  "shared/telemetry": {
    rooms: ["shared/wire", "shared/link", "shared/record"],
    types: ["shared/config"],
    outside: "any",
  },
  "services/worker": {
    rooms: [
      "shared/wire",
      "shared/link",
      "shared/config",
      "shared/checkpoint",
      "shared/record",
      "shared/telemetry",
    ],
    types: ["shared/dni"],
    outside: "any",
  },
  "services/layer": { rooms: ["services/worker", ...without("data", "schema")], types: [], outside: "any" },
  "services/source": {
    rooms: ["services/worker", ...without("dni", "math", "layers", "schema")],
    types: [],
    outside: "any",
  },
  "services/hub": {
    rooms: [
      "shared/data",
      "shared/layers",
      "shared/link",
      "shared/config",
      "shared/checkpoint",
      "shared/record",
      "shared/telemetry",
    ],
    types: [],
    outside: "any",
  },
  deploy: { rooms: [], types: ["shared/config", "shared/checkpoint"], outside: "any" },
  "services/train": {
    rooms: without("dni", "layers", "schema", "wire", "delivery"),
    types: ["shared/wire", "services/layer"],
    outside: "any",
  },
  "services/sample": {
    rooms: ["services/model", "services/train", "shared/config", "shared/data", "shared/math"],
    types: [],
    outside: "none",
  },
  "services/model": {
    rooms: ["services/train", ...without("wire", "delivery", "link", "telemetry", "record")],
    types: [],
    outside: "any",
  },
  "services/replay": {
    rooms: [
      "services/train",
      "shared/config",
      "shared/data",
      "shared/layers",
      "shared/dni",
      "shared/checkpoint",
      "shared/record",
    ],
    types: ["shared/math"],
    outside: "node",
  },
  "services/compare": { rooms: ["services/train", ...without()], types: [], outside: "any" },
  // It knows the config and nothing of our links: a mistake that both shared would not be found.
  "services/conform": { rooms: ["shared/config"], types: [], outside: "any" },
  "services/cli": {
    rooms: [
      "services/conform",
      "services/compare",
      "services/replay",
      "services/sample",
      "services/model",
      "services/train",
      "deploy",
      "shared/config",
      "shared/data",
      "shared/record",
      "shared/telemetry",
    ],
    types: ["shared/wire"],
    outside: "any",
  },
};

/** All rooms of `shared` but these. */
function without(...names: readonly string[]): string[] {
  const shared = [
    "math",
    "dni",
    "schema",
    "layers",
    "data",
    "wire",
    "link",
    "delivery",
    "config",
    "checkpoint",
    "record",
    "telemetry",
  ];
  return shared.filter((name) => !names.includes(name)).map((name) => `shared/${name}`);
}

/** The page runs in a browser: it takes types from anywhere, but of our code only what is pure, and a few small packages. */
const page = {
  folder: "services/page",
  values: [
    "shared/data/decode-text.ts",
    "shared/record/condition.ts",
    "shared/record/config-difference.ts",
    "shared/record/curves.ts",
    "shared/record/judged.ts",
    "shared/record/numbers.ts",
    "shared/record/outages.ts",
    "shared/record/standing.ts",
    "shared/record/segments.ts",
    "shared/record/pace.ts",
    "shared/record/worker-name.ts",
  ],
  packages: ["preact", "preact/hooks", "uplot"],
};

/** A room of numbers still has to fetch its module from somewhere, and Node 20 takes relaxed SIMD only when told to; a module
 of the user's own finds some of its arithmetic in one place. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  // Flags are written where they are read.
  "services/train/worker-plan.ts": ["../worker/options.ts"],
  "deploy/network.ts": ["../services/worker/options.ts"],
  "services/train/dashboard.ts": ["../hub/hub-options.ts"],
  "shared/config/extension.ts": ["conv-layer", "dense-layer", "exactly", "learnt", "random"].map(
    (name) => `../math/${name}.ts`,
  ),
  "shared/data/pictures/image-file.ts": ["sharp"],
  "shared/data/table/read-table.ts": ["csv-parse/sync"],
  "shared/math/wasm/load.ts": ["node:fs", "node:v8"],
  "shared/math/native/library.ts": ["node:module", "node:url", "koffi"],
};

interface Import {
  readonly from: string;
  readonly isType: boolean;
}

describe("the rooms", () => {
  const files = ["shared", "services", "deploy"].flatMap(sourcesIn);

  it("import only what the design lets them", () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => forbiddenImports(file, readFileSync(file, "utf8")))).toEqual([]);
  });

  it("know each other one way only, types too: no way leads back", () => {
    expect(circleIn(roomsOf(files.map((file) => [file, readFileSync(file, "utf8")])))).toBeUndefined();
  });

  it("are all in the design", () => {
    const known = new Set([...Object.keys(rules), page.folder, "services/start"]);
    expect(files.filter((file) => !known.has(roomOf(file)))).toEqual([]);
  });

  it("give the page only files that know no more than each other", () => {
    const beyond = page.values.flatMap((file) =>
      importsOf(file, readFileSync(file, "utf8"))
        .filter(({ isType }) => !isType)
        .map(({ from }) => posix.join(posix.dirname(file), from)),
    );
    expect(beyond.filter((path) => !page.values.includes(path))).toEqual([]);
  });

  it("leave the process to main.ts", () => {
    expect(files.flatMap((file) => readsOfProcess(file, readFileSync(file, "utf8")))).toEqual([]);
  });
});

describe("this test's reading of imports", () => {
  it.each([
    ["shared/math/a.ts", 'import { readFileSync } from "node:fs";', "node:fs"],
    ["shared/math/a.ts", 'import type { Frame } from "../wire/frames.ts";', "../wire/frames.ts"],
    ["shared/math/wasm/a.ts", 'export * from "../../dni/head.ts";', "../../dni/head.ts"],
    ["shared/dni/a.ts", 'const wire = await import("../wire/codec.ts");', "../wire/codec.ts"],
    ["shared/data/a.ts", 'import { z } from "zod";', "zod"],
    ["shared/data/a.ts", 'import "../math/random.ts";', "../math/random.ts"],
    [
      "shared/wire/a.ts",
      'import { plainKernels } from "../math/plain-kernels.ts";',
      "../math/plain-kernels.ts",
    ],
    ["shared/wire/a.ts", 'import { type Kernels, other } from "../math/kernels.ts";', "../math/kernels.ts"],
    ["shared/link/a.ts", 'import { loadConfig } from "../run/read-config.ts";', "../run/read-config.ts"],
    ["shared/delivery/a.ts", 'import type { Frame } from "../wire/frames.ts";', "../wire/frames.ts"],
    ["shared/delivery/a.ts", 'type F = import("../wire/frames.ts").Frame;', "../wire/frames.ts"],
    [
      "shared/config/a.ts",
      'import { plainKernels } from "../math/plain-kernels.ts";',
      "../math/plain-kernels.ts",
    ],
    [
      "shared/record/a.ts",
      'import { work } from "../../services/layer/work.ts";',
      "../../services/layer/work.ts",
    ],
    ["shared/link/a.ts", 'const ws = require("../dni/head.ts");', "../dni/head.ts"],
    ["services/page/a.ts", 'import { join } from "node:path";', "node:path"],
    ["services/page/a.tsx", 'import { serve } from "../hub/serve.ts";', "../hub/serve.ts"],
    [
      "services/page/a.ts",
      'import { log } from "../../../shared/record/log.ts";',
      "../../../shared/record/log.ts",
    ],
    ["services/hub/serve.ts", 'import { cards } from "../page/worker-cards.ts";', "../page/worker-cards.ts"],
  ])("finds in %s: %s", (file, text, from) => {
    expect(forbiddenImports(file, text)).toEqual([
      expect.stringMatching(`^${file} imports (types of )?"${from}": `),
    ]);
  });

  it.each([
    ["shared/math/a.ts", 'import { b } from "./wasm/b.ts"; // import "node:fs"'],
    ["shared/math/wasm/load.ts", 'import { readFileSync } from "node:fs";'],
    ["shared/dni/a.ts", 'import { c } from "../math/c.ts"; import d from "../dni/d.ts";'],
    ["shared/data/a.ts", 'import { join } from "node:path";'],
    [
      "shared/wire/a.ts",
      'import { type Kernels } from "../math/kernels.ts"; import { Packr } from "msgpackr";',
    ],
    [
      "shared/config/a.ts",
      'export type { Frame } from "../wire/frames.ts"; import { kindOf } from "../layers/kinds.ts";',
    ],
    ["services/layer/a.ts", 'import "../../shared/dni/head.ts"; import "ws";'],
    ["services/page/a.tsx", 'import { render } from "preact"; import type { RunRow } from "../hub/a.ts";'],
    ["services/page/a.ts", 'import { standing } from "../../shared/record/standing.ts";'],
  ])("lets %s have: %s", (file, text) => expect(forbiddenImports(file, text)).toEqual([]));

  it("sees a circle of three rooms, and that a fork with one end is none", () => {
    const [ab, bc, ac] = [
      ["shared/a/x.ts", 'import type { B } from "../b/x.ts";'],
      ["shared/b/x.ts", 'import "../c/x.ts";'],
      ["shared/a/y.ts", 'import "../c/x.ts"; import "./x.ts"; import "ws";'],
    ] as const;
    expect(circleIn(roomsOf([ab, bc, ac]))).toBeUndefined();
    const back = ["shared/c/y.ts", 'export * from "../a/y.ts";'] as const;
    expect(circleIn(roomsOf([ab, bc, ac, back]))).toEqual(["shared/a", "shared/b", "shared/c", "shared/a"]);
  });

  it.each([
    ["services/layer/work.ts", "const port = process.env.PORT;"],
    ["services/layer/work.ts", 'process["exit"](1);'],
    ["services/layer/work.ts", "{ const process = 1; } process.exit(1);"],
    ["services/layer/work.ts", "const { env } = globalThis.process;"],
    ["services/layer/work.ts", 'import { env } from "node:process";'],
    ["shared/main.ts", "process.exit(1);"],
  ])("sees the process in %s: %s", (file, text) => expect(readsOfProcess(file, text)).toHaveLength(1));

  it.each([
    ["services/layer/main.ts", "process.exit(1);"],
    ["services/layer/work.ts", "// process.env\nrun.process.start(); const child = { process: 1 };"],
    ["services/layer/work.ts", "for (const process of all) process.kill();"],
    ["services/layer/work.ts", "const stop = (process: Child) => { process.kill(); };"],
    ["services/layer/work.ts", "{ const process = start(); watch(process); }"],
  ])("sees none in %s: %s", (file, text) => expect(readsOfProcess(file, text)).toEqual([]));
});

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`)
    .filter((file) => /\.tsx?$/.test(file) && !file.includes("/assembly/"));
}

function forbiddenImports(file: string, text: string): string[] {
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
function roomOf(path: string): string {
  return /^(?:(?:shared|services)\/[^/]+(?=\/)|deploy(?=\/))/.exec(path)?.[0] ?? path;
}

/** By room the others that it knows. */
function roomsOf(files: readonly (readonly [file: string, text: string])[]): Map<string, Set<string>> {
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
function circleIn(rooms: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
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

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  walk(file, text, (node) => {
    const specifier = specifierOf(node);
    if (specifier && ts.isStringLiteralLike(specifier))
      found.push({ from: specifier.text, isType: isTypeOnly(node) });
  });
  return found;
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal;
  if (!ts.isCallExpression(node)) return undefined;
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === "require";
  return isRequire || node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments[0] : undefined;
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

function readsOfProcess(file: string, text: string): string[] {
  if (/^services\/[^/]+\/main\.ts$/.test(file)) return [];
  const found: string[] = [];
  walk(file, text, (node, source) => {
    if (!namesProcess(node)) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    found.push(`${file}:${line} reads the process: only the main.ts of a service may, hand the value in`);
  });
  return found;
}

function namesProcess(node: ts.Node): boolean {
  const specifier = specifierOf(node);
  if (specifier && ts.isStringLiteralLike(specifier)) return /^(node:)?process$/.test(specifier.text);
  if (!ts.isIdentifier(node) || node.text !== "process") return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node)
    return parent.expression.getText() === "globalThis";
  const isKey = (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
  return !isKey && !isOwnVariable(node);
}

/** Some other process may well be called so, in a loop, a block or a parameter around its use. */
function isOwnVariable(name: ts.Identifier): boolean {
  for (let scope: ts.Node = name.parent; scope; scope = scope.parent) {
    if (declaredIn(scope).some((declared) => declared.getText() === name.text)) return true;
  }
  return false;
}

function declaredIn(scope: ts.Node): ts.BindingName[] {
  if (ts.isFunctionLike(scope)) return scope.parameters.map(({ name }) => name);
  if (ts.isForOfStatement(scope)) return variablesOf(scope.initializer);
  if (!ts.isBlock(scope) && !ts.isSourceFile(scope)) return [];
  return scope.statements.flatMap((each) =>
    ts.isVariableStatement(each) ? variablesOf(each.declarationList) : [],
  );
}

function variablesOf(list: ts.ForInitializer): ts.BindingName[] {
  return ts.isVariableDeclarationList(list) ? list.declarations.map(({ name }) => name) : [];
}

function walk(file: string, text: string, visit: (node: ts.Node, source: ts.SourceFile) => void): void {
  const kind = file.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true, kind);
  const each = (node: ts.Node): void => {
    visit(node, source);
    ts.forEachChild(node, each);
  };
  each(source);
}
