import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const page = readFileSync("docs/workers-by-hand.md", "utf8");

it("the commands of docs/workers-by-hand.md train a network to its end, every worker with 0", async () => {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-by-hand-"));
  try {
    const block = /^ {4}mkdir -p by-hand[\s\S]*?\n(?=\n)/m.exec(page)![0];
    const commands = block
      .replaceAll(/^ {4}/gm, "")
      .replaceAll("by-hand/", `${folder}/`)
      // A job that is over may not be in the list of jobs any more.
      .replaceAll(/ &$/gm, ' & pids="$pids $!"')
      .replace("--run by-hand", "--run by-hand --set run.batches=400");
    const script = `${commands}\necho source $?\nfor pid in $pids; do wait $pid; echo layer $?; done\n`;
    const { stdout } = await promisify(execFile)("bash", ["-c", script], {
      timeout: 300_000,
      maxBuffer: 2 ** 24,
    });
    expect(stdout.split("\n").filter((line) => /^(source|layer) /.test(line))).toEqual([
      "source 0",
      ...Array(3).fill("layer 0"),
    ]);
    const summary = JSON.parse(readFileSync(join(folder, "record", "summary.json"), "utf8"));
    expect(summary.layers.map(({ applied }: { applied: unknown }) => applied)).toEqual(
      Array(3).fill([[0, 399]]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
