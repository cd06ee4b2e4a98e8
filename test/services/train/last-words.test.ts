import { execFile } from "node:child_process";
import { describe, expect, it } from "vitest";
import { lastWord, lastWords } from "../../../services/train/last-words.ts";

function line(level: string, msg: string): string {
  return JSON.stringify({ level, time: "2026-03-01T10:00:00.000Z", worker: "layer2", msg });
}

describe("a worker's last words", () => {
  it("are its errors, not what came before and after", () => {
    const log = [line("info", "began"), line("error", "Cannot listen: taken"), line("info", "leaving")];
    expect(lastWords(`${log.join("\n")}\n`)).toEqual(["10:00:00.000 layer2 ERROR Cannot listen: taken"]);
  });

  it("are the last lines of all where there is no error", () => {
    const log = ["one", "two", "three", "four"].map((word) => line("info", word));
    expect(lastWords(log.join("\n")).map((words) => words.split(" ").at(-1))).toEqual([
      "two",
      "three",
      "four",
    ]);
  });

  it("are what Node says of an error nobody caught, without its stack", async () => {
    const stderr = await new Promise<string>((resolve) => {
      const code = "function f() { throw new TypeError('no such layer') }; f()";
      execFile(process.execPath, ["--eval", code], (_, _out, text) => resolve(text));
    });
    const words = lastWords(`${line("info", "began")}\n${stderr}`);
    expect(lastWord(words)).toBe("TypeError: no such layer");
    expect(words.join("\n")).not.toMatch(/^ +at |^Node\.js v/m);
  });

  it("are none of a worker that said nothing", () => {
    expect(lastWords("")).toEqual([]);
    expect(lastWord([])).toBeUndefined();
  });
});
