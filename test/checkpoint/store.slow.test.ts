import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, type TestContext, test } from "vitest";
import { expectNothingLost, killNow, lastDurable, startWriter } from "./writer-process.ts";

const FLOATS = 50_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkpoints-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("forty kills at odd moments lose nothing durable", async () => {
  for (let life = 1; life <= 40; life++) {
    const { child, lines, reports, end, go } = await startWriter(folder, FLOATS, 1000);
    lines.on("line", () => reports.length === 1 + (life % 5) && setTimeout(() => killNow(child), life % 13));
    go();
    await end;
    expect(lastDurable(reports)?.[0]).toBe(life);
    await expectNothingLost(folder, lastDurable(reports), FLOATS);
  }
});

for (const call of ["openat", "write", "fsync", "close", "rename", "getdents64", "unlink"]) {
  test(`a crash at any ${call} of two checkpoints loses nothing durable`, async (context) => {
    requireStrace(context);
    // Full at the start, so that every checkpoint has an older one to remove.
    await write(4);
    let crashes = 0;
    for (let at = 1; ; at++) {
      const { reports } = await writeTraced(2, call, `signal=SIGKILL:when=${at}`);
      await expectNothingLost(folder, lastDurable(reports), FLOATS);
      if (reports.length === 2) break;
      crashes++;
    }
    expect(crashes).toBeGreaterThan(1);
  });
}

test("a failing fsync fails one checkpoint, is never tried again on that file, and the next is durable", async (context) => {
  requireStrace(context);
  for (let at = 1; at <= 6; at++) {
    const { reports, trace } = await writeTraced(4, "fsync", `error=EIO:when=${at}`);
    const failed = reports.filter((report) => report.startsWith("failed "));
    expect(failed).toEqual([expect.stringMatching(/^failed Cannot write checkpoint-.*: EIO/)]);
    expect(reports.filter((report) => report.startsWith("durable "))).toHaveLength(3);
    const synced = [...trace.matchAll(/fsync\(\d+<([^>]*\.tmp)>/g)].map(([, path]) => path);
    expect(synced).toHaveLength(4);
    expect(new Set(synced).size).toBe(4);
    await expectNothingLost(folder, lastDurable(reports), FLOATS);
  }
});

test("on a disk slow to sync, durable means: file synced, then renamed, then its folder synced", async (context) => {
  requireStrace(context);
  const { reports, trace } = await writeTraced(3, "fsync,rename", "delay_enter=100000");
  expect(reports.map((report) => report.split(" ")[0])).toEqual(Array(3).fill("durable"));
  const steps = [...trace.matchAll(/(fsync|rename)\((.*)/g)].map(([, call, rest]) => {
    return call === "rename" ? call : `${call} ${rest!.includes(".tmp>") ? "file" : "folder"}`;
  });
  const once = ["fsync file", "rename", "fsync folder"];
  expect(steps).toEqual([...once, ...once, ...once]);
  await expectNothingLost(folder, lastDurable(reports), FLOATS);
});

async function write(count: number): Promise<void> {
  const { end, go } = await startWriter(folder, FLOATS, count);
  go();
  await end;
}

/** Lets a writer write under strace, with something done to its calls from the first checkpoint on. */
async function writeTraced(count: number, call: string, injection: string) {
  const { child, reports, end, go } = await startWriter(folder, FLOATS, count);
  const output = join(folder, "incarnation.trace");
  const tracer = spawn(
    "strace",
    [
      "-f",
      "-y",
      "-o",
      output,
      "-e",
      `trace=${call}`,
      "-e",
      `inject=${call}:${injection}`,
      "-p",
      String(child.pid),
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  await once(createInterface(tracer.stderr), "line");
  go();
  await Promise.all([end, once(tracer, "close")]);
  return { reports, trace: await readFile(output, "utf8") };
}

function requireStrace(context: TestContext): void {
  try {
    execFileSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" });
  } catch {
    console.warn(`skipped, as strace does not work here: ${context.task.name}`);
    context.skip("strace does not work here");
  }
}
