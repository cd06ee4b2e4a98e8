import ts from "typescript";
import { specifierOf, walk } from "./walk.ts";

export function readsOfProcess(file: string, text: string): string[] {
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
