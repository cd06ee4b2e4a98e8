import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import { report } from "../../../services/cli/report.ts";
import { batchAt, outagesOf } from "../../../shared/record/outages.ts";
import { RunRecord } from "../../../shared/record/run-record.ts";
import { testEdges } from "../../support/edges.ts";
import { BEGAN_AT, event, killedRun, runOnFile } from "../../support/run-on-file.ts";

const NOW = BEGAN_AT + 60_000;
let runs: string;

beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), "unlocked-report-"));
});

afterEach(() => rmSync(runs, { recursive: true, force: true }));

describe("the page", () => {
  it("is well-formed, and asks nobody for anything", () => {
    const page = report(RunRecord.read(runOnFile(runs, "killed")), NOW);
    expect(page).not.toMatch(/<script|https?:|url\(|@import/);
    const program =
      "import sys\nfrom html.parser import HTMLParser\nopen_=[]\n" +
      "class P(HTMLParser):\n" +
      " def handle_starttag(s,t,a):\n  t in('meta',) or open_.append(t)\n" +
      " def handle_endtag(s,t):\n  assert open_.pop()==t,t\n" +
      "P().feed(sys.stdin.read()); assert open_==[],open_; print('whole')";
    expect(execFileSync("python3", ["-c", program], { input: page, encoding: "utf8" }).trim()).toBe("whole");
  });

  it("marks where a worker was killed on every chart, and names it", () => {
    const page = report(RunRecord.read(runOnFile(runs, "killed")), NOW);
    const charts = page.match(/<svg.*?<\/svg>/gs)!;
    expect(charts).toHaveLength(6);
    for (const chart of charts) expect(chart).toContain("<title>layer2 away for 0:02: SIGKILL</title>");
    const calm = report(RunRecord.read(runOnFile(runs, "calm", { ...killedRun(), events: [] })), NOW);
    expect(calm).not.toContain("away for");
  });

  it("does not draw over batches that nobody spoke of", () => {
    const { metrics } = killedRun();
    const holed = metrics.filter((line) => !(line.kind === "segment" && line.first === 30));
    const lossOf = (id: string, lines: typeof metrics) =>
      report(RunRecord.read(runOnFile(runs, id, { metrics: lines, events: [] })), NOW).match(
        /<svg.*?<\/svg>/s,
      )![0];
    expect(lossOf("whole", metrics).match(/<polyline/g)).toHaveLength(1);
    expect(lossOf("holed", holed).match(/<polyline/g)).toHaveLength(2);
  });

  it("draws another run beside it, and says in what they differ", () => {
    const run = RunRecord.read(runOnFile(runs, "killed"));
    const baseline = runOnFile(runs, "baseline");
    const path = join(baseline, "config.yaml");
    writeFileSync(path, readFileSync(path, "utf8").replace("seed: 1", "seed: 7"));
    const page = report(run, NOW, [RunRecord.read(baseline)]);
    expect(page).toMatch(/<tr><td>seed<\/td><td>1<\/td><td>7<\/td><\/tr>/);
    expect(page.match(/class="c1 other"><polyline/g)).toHaveLength(2);
  });

  it("lets no text of an event become a tag", () => {
    const events = [event("layer1", 1, 0, "alarm", "<img src=x onerror=alert(1)>")];
    const page = report(RunRecord.read(runOnFile(runs, "hostile", { ...killedRun(), events })), NOW);
    expect(page).not.toContain("<img");
    expect(page).toContain("&lt;img");
  });

  it("is written for a run without a single line, too", () => {
    expect(report(RunRecord.read(runOnFile(runs, "young", { metrics: [], events: [] })), NOW)).toContain(
      "0 of 100",
    );
  });
});

describe("unlocked report", () => {
  async function run(...args: string[]) {
    const said = { out: "", err: "" };
    const code = await runProgram(["report", ...args, "--runs", runs], testEdges(said));
    return { code, ...said };
  }

  it("writes into the run's folder, or where it is told to", async () => {
    const folder = runOnFile(runs, "killed");
    expect(await run()).toMatchObject({ code: 0, out: `${join(folder, "report.html")}\n` });
    expect(readFileSync(join(folder, "report.html"), "utf8")).toMatch(/^<!doctype html>/);
    expect((await run("killed", "-o", "-")).out).toMatch(/^<!doctype html>/);
    expect(await run("killed", "-o", join(runs, "no", "where.html"))).toMatchObject({ code: 78 });
    expect(await run("killed", "--compare", "other")).toMatchObject({ code: 78 });
    expect(existsSync(join(runs, "no"))).toBe(false);
  });
});

describe("absences", () => {
  it("begin with the first who notices and end with the next life", () => {
    const said = [
      event("hub", 0, 1_000, "unreachable", "silent", { about: "layer1" }),
      event("hub", 0, 2_000, "dead", "nobody listens", { about: "layer1" }),
      event("layer1", 2, 5_000, "restored", "", { batch: 9 }),
      event("train", 0, 7_000, "died", "SIGKILL", { about: "layer2" }),
    ];
    expect(outagesOf(said)).toEqual([
      { worker: "layer1", from: BEGAN_AT + 1_000, to: BEGAN_AT + 5_000, why: "silent" },
      { worker: "layer2", from: BEGAN_AT + 7_000, to: undefined, why: "SIGKILL" },
    ]);
  });

  it("are placed by how far the head had come", () => {
    const head = RunRecord.read(runOnFile(runs, "killed")).standing.segments("layer3");
    expect(batchAt(head, BEGAN_AT + 900)).toBe(9);
    expect(batchAt(head, BEGAN_AT - 5_000)).toBe(0);
    expect(batchAt(head, BEGAN_AT + 99_000)).toBe(99);
    expect(batchAt([], BEGAN_AT)).toBe(0);
  });
});
