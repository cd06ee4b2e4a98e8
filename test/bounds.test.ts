import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fullFolders, longFile, longFunctions } from "./support/rooms/bounds.ts";

describe("the source", () => {
  const files = ["shared", "services", "test", "bench", "deploy", ".ci"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll("\\", "/")),
  );

  it("has no folder of more than 25 files", () => {
    expect(files.length).toBeGreaterThan(500);
    expect(fullFolders(files)).toEqual([]);
  });

  it("has no file of more than 300 lines", () => {
    expect(files.flatMap((file) => longFile(file, readFileSync(file, "utf8")))).toEqual([]);
  });

  it("has no function of more than 60 lines", () => {
    expect(files.flatMap((file) => longFunctions(file, readFileSync(file, "utf8")))).toEqual([]);
  });
});

describe("this test's counting", () => {
  const lines = (count: number) => "more();\n".repeat(count);

  it("lets a folder have 25 files beside those of its own folders, and not 26", () => {
    const files = (count: number) => Array.from({ length: count }, (_, n) => `shared/wire/${n}.ts`);
    expect(fullFolders([...files(25), "shared/wire/fast/a.ts", "shared/a.ts"])).toEqual([]);
    expect(fullFolders(files(26))).toEqual(["shared/wire has 26 files, at most 25"]);
  });

  it.each(["ts", "tsx", "mjs", "cjs", "c", "css", "py"])(
    "lets a file of %s have 300 lines, not 301",
    (end) => {
      expect(longFile(`a.${end}`, lines(300))).toEqual([]);
      expect(longFile(`a.${end}`, `${lines(300)}more();`)).toEqual([`a.${end} has 301 lines, at most 300`]);
    },
  );

  it("does not count the lines of what is no source", () => {
    expect(longFile("a.txt", lines(301))).toEqual([]);
  });

  it.each([
    ["a declaration", "function a() {\n", "}"],
    ["an arrow", "const a = () => {\n", "};"],
    ["a method", "class A { a() {\n", "} }"],
    ["a constructor", "class A { constructor() {\n", "} }"],
    ["a claim", 'it("adds", () => {\n', "});"],
    ["one in a description", 'describe("a", () => { it("adds", () => {\n', "}); });"],
  ])("lets %s have 60 lines, not 61", (_, head, tail) => {
    expect(longFunctions("a.ts", `// First.\n${head}${lines(58)}${tail}`)).toEqual([]);
    const told = "a.ts:2 is a function of 61 lines, at most 60";
    expect(longFunctions("a.ts", `// First.\n${head}${lines(59)}${tail}`)).toEqual([told]);
  });

  it.each(["describe", "describe.each([1])"])("lets %s be as long as its file", (head) => {
    expect(longFunctions("a.ts", `${head}("all", () => {\n${lines(100)}});`)).toEqual([]);
  });
});
