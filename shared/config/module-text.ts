import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { compileFunction } from "node:vm";
import * as extension from "./extension.ts";

/**
 * What a module finds here; all else that it imports is made part of its text. zod is read when a module asks for it: with all
 * of it at hand each program would be a third larger, which it reads at its start.
 */
const FOUND_HERE = ["unlocked", "zod"];

const ownRequire = createRequire(import.meta.url);

/**
 * A module of the user's with all that it imports as one text in CommonJS: TypeScript or JavaScript, on every Node alike.
 * It travels with the config. `path`: of the file. Throws an Error whose message says what is wrong and where.
 */
export function bundleModule(path: string): string {
  const { buildSync } = ownRequire("esbuild") as typeof import("esbuild");
  const folder = dirname(path);
  try {
    const { outputFiles, metafile } = buildSync({
      entryPoints: [`./${basename(path)}`],
      absWorkingDir: folder,
      bundle: true,
      format: "cjs",
      platform: "node",
      target: "node20",
      external: FOUND_HERE,
      legalComments: "none",
      // Else the text would depend on what lies around the module.
      tsconfigRaw: "{}",
      metafile: true,
      write: false,
      logLevel: "silent",
    });
    return withoutPlaces(outputFiles[0]!.text, Object.keys(metafile.inputs));
  } catch (cause) {
    throw new Error(reasonOf(cause), { cause });
  }
}

/** The default export. The same text is run once only. Throws an Error whose message says what is wrong. */
export function evaluateModule(text: string, { name, digest }: { name: string; digest: string }): unknown {
  if (evaluated.has(digest)) return evaluated.get(digest);
  const module: { exports: { readonly default?: unknown } } = { exports: {} };
  try {
    const run = compileFunction(text, ["module", "exports", "require"], { filename: name });
    run(module, module.exports, requireHere);
  } catch (cause) {
    throw new Error(`it throws as it is loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const exported = module.exports.default;
  evaluated.set(digest, exported);
  return exported;
}

const evaluated = new Map<string, unknown>();

function requireHere(id: string): unknown {
  return id === "unlocked" ? extension : ownRequire(id);
}

/** Where the files lie is told in comments, and must not make another text of them. */
function withoutPlaces(text: string, paths: readonly string[]): string {
  const places = new Set(paths.map((path) => `// ${path}`));
  return text
    .split("\n")
    .filter((line) => !places.has(line))
    .join("\n");
}

function reasonOf(cause: unknown): string {
  const [first] = (cause as { errors?: { text: string; location: Location | null }[] }).errors ?? [];
  if (!first) return (cause as Error).message;
  const { text, location } = first;
  if (!location) return text.startsWith("Could not resolve") ? "no such file" : text;
  return `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
