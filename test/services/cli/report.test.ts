import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import { report } from "../../../services/cli/report.ts";
import { RunRecord } from "../../../shared/record/run-record.ts";
import { testEdges } from "../../support/edges.ts";
import { BEGAN_AT, event, killedRun, runOnFile } from "../../support/processes/run-on-file.ts";

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
    // Beside the training loss it shows the test loss.
    expect(lossOf("whole", metrics).match(/<polyline/g)).toHaveLength(2);
    expect(lossOf("holed", holed).match(/<polyline/g)).toHaveLength(3);
  });

  it("draws another run beside it, and says in what they differ", () => {
    const run = RunRecord.read(runOnFile(runs, "killed"));
    const baseline = runOnFile(runs, "baseline");
    const path = join(baseline, "config.yaml");
    writeFileSync(path, readFileSync(path, "utf8").replace("seed: 1", "seed: 7"));
    const page = report(run, NOW, [RunRecord.read(baseline)]);
    expect(page).toMatch(/<tr><td>seed<\/td><td>1<\/td><td>7<\/td><\/tr>/);
    expect(page.match(/class="c\d other"><polyline/g)).toHaveLength(3);
  });

  it("tells the loss of a text as perplexity and bits, and of nothing else", () => {
    const config = readFileSync("configs/gpt/tiny.yaml", "utf8");
    const text = report(RunRecord.read(runOnFile(runs, "text", { ...killedRun(), config })), NOW);
    // The last test of that run has a loss of 0.5.
    expect(text).toMatch(/<td>perplexity<\/td><td>1\.65<\/td>/);
    expect(text).toMatch(/<td>bits<\/td><td>0\.721 a character<\/td>/);
    expect(report(RunRecord.read(runOnFile(runs, "rings")), NOW)).not.toContain("perplexity");
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
