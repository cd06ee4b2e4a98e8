import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { CheckpointStore, CheckpointWriteError } from "../../shared/checkpoint/store.ts";
import { checkpointFolder } from "./checkpoint-folder.ts";
import { filled } from "./sample-checkpoint.ts";
import { expectNothingLost, killNow, lastDurable, startWriter } from "./writer-process.ts";

const folder = checkpointFolder();

describe("on a bad disk", () => {
  test("a full one loses nothing that was there, and saving heals with space", async (context) => {
    await onSmallDisk(context, async (disk) => {
      folder.store = new CheckpointStore(disk);
      const floats = { tensors: { "layer.weights": filled(60_000, 1) } };
      for (const cursor of [10, 20, 30]) await folder.write(3, cursor, floats);
      await writeFile(join(disk, "ballast"), Buffer.alloc(200_000));
      const failing = folder.write(3, 40, floats);
      await expect(failing).rejects.toThrow(CheckpointWriteError);
      await expect(failing).rejects.toThrow(/Cannot write checkpoint-000003-000000040.*ENOSPC/);
      expect((await readdir(disk)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      expect(await folder.newest()).toEqual([3, 30]);
      await rm(join(disk, "ballast"));
      await folder.write(3, 50, floats);
      expect(await folder.newest()).toEqual([3, 50]);
    });
  });

  test("one that went read-only is an error with a reason, at start and at writing", async (context) => {
    await onSmallDisk(context, async (disk) => {
      folder.store = new CheckpointStore(disk);
      await folder.write(3, 10);
      execFileSync("mount", ["-o", "remount,ro", disk]);
      await expect(folder.write(3, 20)).rejects.toThrow(/Cannot write .*: EROFS/);
      await expect(folder.newest()).rejects.toThrow(/Cannot restore layer 2: folder .*: EROFS/);
      execFileSync("mount", ["-o", "remount,rw", disk]);
      expect(await folder.newest()).toEqual([3, 10]);
    });
  });

  test("a folder closed to us is an error with a reason", async (context) => {
    if (process.getuid?.() === 0) return context.skip("nothing is closed to root");
    await folder.write(3, 10);
    chmodSync(folder.path, 0o555);
    await expect(folder.write(3, 20)).rejects.toThrow(/Cannot write .*: EACCES/);
    await expect(folder.newest()).rejects.toThrow(/Cannot restore layer 2: folder .*: EACCES/);
    chmodSync(folder.path, 0o755);
    expect(await folder.newest()).toEqual([3, 10]);
  });
});

/** Runs `body` on a disk of 1 MB, or skips, saying why. */
async function onSmallDisk(context: TestContext, body: (disk: string) => Promise<void>): Promise<void> {
  const disk = join(folder.path, "disk");
  await mkdir(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    console.warn(`skipped, as no disk can be mounted here: ${context.task.name}`);
    return context.skip("no disk can be mounted here");
  }
  try {
    await body(disk);
  } finally {
    execFileSync("umount", [disk]);
  }
}

test("killed again and again while it writes, a layer goes on from the last durable state", async () => {
  const floats = 200_000;
  let cursor = -1;
  for (let life = 1; life <= 4; life++) {
    const { child, lines, reports, end, go } = await startWriter(folder.path, floats, 1000);
    // Some writes in, and a little later each time, so as to hit different moments of the next one.
    lines.on("line", () => reports.length === 2 + life && setTimeout(() => killNow(child), 3 * life));
    go();
    await end;
    const durable = lastDurable(reports);
    expect(durable?.[0]).toBe(life);
    expect(durable?.[1]).toBeGreaterThan(cursor);
    [, cursor] = (await expectNothingLost(folder.path, durable, floats))!;
  }
});
