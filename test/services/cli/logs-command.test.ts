import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import { sparkline } from "../../../services/cli/sparkline.ts";
import type { Edges } from "../../../services/train/edges.ts";
import { FollowedFile } from "../../../shared/record/files/followed-file.ts";
import { testEdges } from "../../support/edges.ts";
import { runOnFile } from "../../support/processes/run-on-file.ts";

let runs: string;
let log: string;

beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), "unlocked-logs-"));
  log = join(runOnFile(runs, "killed"), "logs", "layer2.log");
  writeFileSync(
    log,
    [
      logged("info", "began", { said: "a/1" }),
      logged("warn", "lost successor"),
      "Error: out of bounds",
      "    at nowhere",
      logged("info", "restored", { batch: 49 }),
      "",
    ].join("\n"),
  );
});

afterEach(() => rmSync(runs, { recursive: true, force: true }));

function logged(level: string, msg: string, more = {}): string {
  return JSON.stringify({ level, time: "2026-01-02T12:00:00.000Z", worker: "layer2", msg, ...more });
}

async function run(...args: string[]) {
  const said = { out: "", err: "" };
  const code = await runProgram(["logs", ...args, "--runs", runs], testEdges(said));
  return { code, ...said };
}

describe("the log of a worker", () => {
  it("is shown for people", async () => {
    expect((await run("layer2")).out.split("\n")).toEqual([
      "12:00:00.000 layer2 began",
      "12:00:00.000 layer2 WARN lost successor",
      "Error: out of bounds",
      "    at nowhere",
      "12:00:00.000 layer2 restored batch=49",
      "",
    ]);
  });

  it.each([
    [
      ["--level", "warn"],
      ["12:00:00.000 layer2 WARN lost successor", "Error: out of bounds", "    at nowhere"],
    ],
    [
      ["--grep", "LOST|restored"],
      ["12:00:00.000 layer2 WARN lost successor", "12:00:00.000 layer2 restored batch=49"],
    ],
    [["--tail", "1"], ["12:00:00.000 layer2 restored batch=49"]],
    [["--json", "--grep", "began"], [logged("info", "began", { said: "a/1" })]],
  ])("with %j is only what was asked for", async (args, lines) => {
    expect((await run("layer2", ...args)).out).toBe(`${lines.join("\n")}\n`);
  });

  it("begins with the older file, where it was rotated, and ends with what a killed writer left", async () => {
    renameSync(log, log.replace(".log", ".1.log"));
    writeFileSync(log, "half a li");
    const lines = (await run("layer2")).out.trimEnd().split("\n");
    expect([lines[0], lines.at(-1), lines.length]).toEqual(["12:00:00.000 layer2 began", "half a li", 6]);
  });

  it.each([
    [["layer9"], /^Cannot show the log of layer9: in .*logs there are layer2\n$/],
    [["../../secret"], /^Cannot show the log of \.\.\/\.\.\/secret/],
    [["layer2", "--grep", "("], /^Cannot filter by \(: /],
    [["layer2", "--tail", "none"], /^--tail is none, expected a whole number from 1\n$/],
    [["layer2", "--run", "x"], /^Cannot find run x: .*newest are killed\n$/],
  ])("refuses %j", async (args, words) => {
    expect(await run(...args)).toMatchObject({ code: 78, err: expect.stringMatching(words), out: "" });
  });

  it("is followed until somebody wants it to end", async () => {
    const said = { out: "", err: "" };
    let interrupt = () => {};
    const edges: Edges = {
      ...testEdges(said),
      onSignal: (listener) => {
        interrupt = () => listener("SIGINT");
        return () => undefined;
      },
    };
    const following = runProgram(["logs", "layer2", "-f", "-n", "1", "--runs", runs], edges);
    await expect.poll(() => said.out).toMatch(/restored batch=49\n$/);
    appendFileSync(log, `${logged("info", "finished")}\n`);
    await expect.poll(() => said.out).toMatch(/layer2 finished\n$/);
    interrupt();
    expect(await following).toBe(0);
  });
});

describe("a followed file", () => {
  let path: string;
  let file: FollowedFile;

  beforeEach(() => {
    path = join(runs, "file");
    file = new FollowedFile(path);
  });

  afterEach(() => file.close());

  it("need not be there yet, and gives whole lines only", () => {
    expect([...file.read()]).toEqual([]);
    writeFileSync(path, "one\ntw");
    expect([...file.read()]).toEqual(["one"]);
    expect(file.rest).toBe("tw");
    appendFileSync(path, "o\n");
    expect([...file.read()]).toEqual(["two"]);
    expect([...file.read()]).toEqual([]);
  });

  it("begins anew when it was cut short", () => {
    writeFileSync(path, "one\ntwo\n");
    expect([...file.read()]).toEqual(["one", "two"]);
    truncateSync(path, 0);
    appendFileSync(path, "new\n");
    expect([...file.read()]).toEqual(["new"]);
  });

  it("loses nothing when another takes its name", () => {
    writeFileSync(path, "one\n");
    expect([...file.read()]).toEqual(["one"]);
    appendFileSync(path, "two\n");
    renameSync(path, `${path}.old`);
    writeFileSync(path, "three\n");
    expect([...file.read()]).toEqual(["two", "three"]);
  });
});

describe("unlocked top", () => {
  it("says one line a look where nothing can be redrawn, and ends when the run is over", async () => {
    const said = { out: "", err: "" };
    await runProgram(["top", "--times", "1", "--runs", runs], testEdges(said));
    expect(said.out).toBe("killed stopped  batch 100/100  10.0 batches/s  loss 0.011  test 90.00 %\n");
  });

  it("ends with q, and leaves the screen as it was", async () => {
    const said = { out: "", err: "" };
    let press = (_: string) => {};
    const edges: Edges = {
      ...testEdges(said),
      isLive: true,
      onKey: (listener) => {
        press = listener;
        return () => undefined;
      },
    };
    const watching = runProgram(["top", "--runs", runs], edges);
    await expect.poll(() => said.out).toMatch(/run killed/);
    await expect
      .poll(() => {
        press("q");
        return said.out.endsWith("\x1b[?25h\x1b[?1049l");
      })
      .toBe(true);
    expect(await watching).toBe(0);
  });
});

it("a sparkline goes from the lowest to the highest", () => {
  expect(sparkline([0, 1, 2, Number.NaN, 7])).toBe("▁▂▃ █");
  expect(sparkline([5, 5])).toBe("▄▄");
  expect(sparkline([])).toBe("");
});
