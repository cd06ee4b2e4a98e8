import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";

const text = readFileSync("docs/architecture.md", "utf8");
const section = (title: string) => text.split(/^## /m).find((each) => each.startsWith(title))!;

describe("docs/architecture.md", () => {
  it.each(pathsIn(text))("names %s, which exists", (path) => {
    expect(existsSync(path)).toBe(true);
  });

  describe("the way of one activation", () => {
    const steps = [...section("The way").matchAll(/^\d+\. `(?<file>[^`]+)`(?: `(?<called>[#\w]+)`)?/gm)].map(
      ({ groups }) => ({ file: groups!.file!, called: groups!.called }),
    );

    it("passes at most nine files", () => {
      expect(steps.length).toBeGreaterThan(5);
      expect(steps.length).toBeLessThanOrEqual(9);
    });

    it.each(steps)("$file is part of a layer's process", ({ file }) => {
      expect(importedBy("services/layer/main.ts")).toContain(file);
    });

    it.each(steps.filter(({ called }) => called !== undefined))("$called is in $file", ({ file, called }) => {
      expect(readFileSync(file, "utf8")).toMatch(
        new RegExp(`^(?:export function| ) ?${called}(?:<|\\()`, "m"),
      );
    });
  });

  it("would notice a file that is not there", () => {
    expect(pathsIn("see `shared/link/nothing.ts`").filter(existsSync)).toEqual([]);
    expect(importedBy("services/layer/main.ts")).not.toContain("services/hub/hub.ts");
  });
});

/** Files and folders of the repository in backticks; a pattern such as `<kind>.ts` is none. */
function pathsIn(markdown: string): string[] {
  const quoted = [...markdown.matchAll(/`((?:shared|services|deploy|test|docs)\/[\w./-]+)`/g)];
  return [...new Set(quoted.map(([, path]) => path!))];
}

/** All files that `start` reaches by its imports. */
function importedBy(start: string): string[] {
  const reached = new Set([start]);
  for (const file of reached) {
    const imports = readFileSync(file, "utf8").matchAll(/from "(\.{1,2}\/[^"]+\.ts)"/g);
    for (const [, path] of imports) reached.add(posix.join(posix.dirname(file), path!));
  }
  return [...reached];
}
