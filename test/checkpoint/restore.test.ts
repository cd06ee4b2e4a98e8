import { readFileSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CheckpointMismatch } from "../../shared/checkpoint/checkpoint.ts";
import { realDisk } from "../../shared/checkpoint/disk.ts";
import { CheckpointStore, CheckpointWriteError, NoValidCheckpoint } from "../../shared/checkpoint/store.ts";
import { checkpointFolder, damage, expected } from "./checkpoint-folder.ts";

const folder = checkpointFolder();

describe("restoring", () => {
  test("a folder without checkpoints, or without existence, is a fresh start", async () => {
    await writeFile(join(folder.path, "incarnation.1"), "");
    expect(await folder.store.loadNewest(expected)).toMatchObject({ restored: undefined, skipped: [] });
    folder.store = new CheckpointStore(join(folder.path, "state", "layer2"));
    expect(await folder.store.loadNewest(expected)).toMatchObject({ restored: undefined, skipped: [] });
    await folder.write(1, 5);
    expect(await folder.newest()).toEqual([1, 5]);
  });

  test("a damaged newest gives way to the one before, and is set aside with a reason", async () => {
    await folder.write(3, 40);
    await folder.write(3, 50);
    await damage(folder.pathOf(3, 50));
    const { restored, skipped } = await folder.store.loadNewest(expected);
    expect(restored?.checkpoint.cursor).toBe(40);
    expect(skipped).toEqual([
      { path: folder.pathOf(3, 50), why: expect.stringContaining("its digest is"), isDamaged: true },
    ]);
    expect((await readdir(folder.path)).sort()).toEqual(
      [folder.pathOf(3, 40), `${folder.pathOf(3, 50)}.corrupt`].map((path) =>
        path.slice(folder.path.length + 1),
      ),
    );
  });

  test("a file set aside no longer counts among the three", async () => {
    for (const cursor of [10, 20, 30]) await folder.write(3, cursor);
    await damage(folder.pathOf(3, 30));
    await folder.newest();
    await folder.write(4, 15);
    await damage(folder.pathOf(4, 15));
    expect(await folder.newest()).toEqual([3, 20]);
  });

  test("what the disk cannot read for a while is passed over, and is there when it can again", async () => {
    for (const cursor of [10, 20, 30]) await folder.write(3, cursor);
    const sick = new Set([folder.pathOf(3, 30)]);
    const read = (path: string) =>
      sick.has(path)
        ? Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }))
        : realDisk.read(path);
    folder.store = new CheckpointStore(folder.path, { ...realDisk, read });
    const { restored, skipped } = await folder.store.loadNewest(expected);
    expect(restored?.checkpoint.cursor).toBe(20);
    expect(skipped).toEqual([{ path: folder.pathOf(3, 30), why: "EIO: i/o error", isDamaged: false }]);
    for (const cursor of [10, 20]) sick.add(folder.pathOf(3, cursor));
    await expect(folder.newest()).rejects.toThrow(NoValidCheckpoint);
    sick.clear();
    expect(await folder.newest()).toEqual([3, 30]);
  });

  test("no more than three damaged ones are kept either", async () => {
    for (let life = 1; life <= 5; life++) {
      await folder.write(life, 10);
      await folder.write(life, 20);
      await damage(folder.pathOf(life, 20));
      expect(await folder.newest()).toEqual([life, 10]);
    }
    await folder.write(6, 10);
    const names = await readdir(folder.path);
    expect(names.filter((name) => name.endsWith(".corrupt"))).toHaveLength(3);
    expect(names).toHaveLength(6);
  });

  test("when all are damaged it refuses, and refuses again", async () => {
    for (const cursor of [10, 20, 30]) await folder.write(3, cursor);
    for (const cursor of [10, 20, 30]) await truncate(folder.pathOf(3, cursor), cursor);
    const first = folder.store.loadNewest(expected);
    await expect(first).rejects.toThrow(NoValidCheckpoint);
    await expect(first).rejects.toThrow(
      `Cannot restore layer 2: 3 checkpoints in ${folder.path}, none valid: checkpoint-000003-000000030.safetensors: header is`,
    );
    const second = folder.store.loadNewest(expected);
    await expect(second).rejects.toThrow(NoValidCheckpoint);
    await expect(second).rejects.toThrow("3 checkpoints");
    await expect(second).rejects.toThrow("set aside as damaged before");
  });

  test.each([
    ["run", "premiere", "is of run rehearsal, this is run premiere"],
    ["layer", 1, "is of layer 2, this is layer 1"],
    ["configHash", "decaf", "is of configuration c0ffee, this is configuration decaf"],
  ])("one of another %s is neither loaded nor touched", async (key, value, reason) => {
    await folder.write(3, 40);
    const before = readFileSync(folder.pathOf(3, 40));
    const loading = folder.store.loadNewest({ ...expected, [key]: value });
    await expect(loading).rejects.toThrow(CheckpointMismatch);
    await expect(loading).rejects.toThrow(reason);
    expect(readFileSync(folder.pathOf(3, 40))).toEqual(before);
    expect(await folder.newest()).toEqual([3, 40]);
  });

  test("a file under another's name does not win by it", async () => {
    await folder.write(3, 40);
    await copyFile(folder.pathOf(3, 40), folder.pathOf(9, 40));
    const { restored, skipped } = await folder.store.loadNewest(expected);
    expect(restored?.path).toBe(folder.pathOf(3, 40));
    expect(skipped[0]?.why).toBe("its content belongs in checkpoint-000003-000000040.safetensors");
  });

  test("left-over temporary files are removed at start, other people's files are not", async () => {
    await writeFile(`${folder.pathOf(3, 40)}.00ff00ff.tmp`, "half");
    await writeFile(join(folder.path, "notes.tmp"), "mine");
    expect(await folder.newest()).toBeUndefined();
    expect(await readdir(folder.path)).toEqual(["notes.tmp"]);
  });

  test("what cannot be read at all is an error, not a reason to fall back", async () => {
    await folder.write(3, 40);
    await mkdir(folder.pathOf(3, 50));
    await expect(folder.newest()).rejects.toThrow(/Cannot restore layer 2 from .*50\.safetensors: EISDIR/);
    expect(await readdir(folder.path)).toHaveLength(2);
  });

  test("a folder that is none is named", async () => {
    const path = join(folder.path, "file");
    await writeFile(path, "");
    folder.store = new CheckpointStore(path);
    await expect(folder.newest()).rejects.toThrow(/Cannot restore layer 2: folder .*file: E/);
    await expect(folder.write(3, 40)).rejects.toThrow(CheckpointWriteError);
  });
});

describe("damaged at random, the newest is never loaded with other content than was written", () => {
  test.each([1, 2, 3, 4])("seed %i", async (seed) => {
    await folder.write(3, 40);
    await folder.write(3, 50);
    const whole = await readFile(folder.pathOf(3, 50));
    let state = seed;
    const random = (below: number) => {
      state = (state * 48271) % 2147483647;
      return state % below;
    };
    for (let round = 0; round < 40; round++) {
      const bytes = Buffer.from(whole);
      if (round % 3 === 0) await writeFile(folder.pathOf(3, 50), bytes.subarray(0, random(whole.length)));
      else {
        bytes[random(whole.length)]! ^= 1 + random(255);
        await writeFile(folder.pathOf(3, 50), bytes);
      }
      expect(await folder.newest()).toEqual([3, 40]);
    }
    await writeFile(folder.pathOf(3, 50), whole);
    expect(await folder.newest()).toEqual([3, 50]);
  });
});
