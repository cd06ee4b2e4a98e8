import ts from "typescript";
import { walk } from "./walk.ts";

export const MOST = { linesOfFile: 300, linesOfFunction: 60, filesOfFolder: 25 } as const;

const CODE = /\.(?:ts|tsx|cjs|mjs|js|c|h|css|py)$/;
const SCRIPT = /\.(?:ts|tsx|cjs|mjs|js)$/;

/** By folder that is over the bound: its files, without those of folders in it. */
export function fullFolders(files: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const file of files) {
    const folder = file.slice(0, file.lastIndexOf("/"));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > MOST.filesOfFolder)
    .map(([folder, count]) => `${folder} has ${count} files, at most ${MOST.filesOfFolder}`);
}

export function longFile(file: string, text: string): string[] {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (!CODE.test(file) || lines <= MOST.linesOfFile) return [];
  return [`${file} has ${lines} lines, at most ${MOST.linesOfFile}`];
}

/** What is handed to `describe` is no function to read as one, but a list of claims; the claims in it are. */
export function longFunctions(file: string, text: string): string[] {
  const found: string[] = [];
  if (!SCRIPT.test(file)) return found;
  walk(file, text, (node, source) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || !node.body || isDescription(node)) return;
    const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line + 1;
    const from = lineOf(node.getStart(source));
    const lines = lineOf(node.end) - from + 1;
    if (lines <= MOST.linesOfFunction) return;
    found.push(`${file}:${from} is a function of ${lines} lines, at most ${MOST.linesOfFunction}`);
  });
  return found;
}

function isDescription(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && nameOfCalled(node.parent.expression) === "describe";
}

/** "describe" of `describe.each(…)` as well. */
function nameOfCalled(called: ts.Expression): string {
  if (ts.isCallExpression(called) || ts.isPropertyAccessExpression(called))
    return nameOfCalled(called.expression);
  return ts.isIdentifier(called) ? called.text : "";
}
