import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import {
  type Checkpoint,
  CheckpointError,
  CheckpointMismatch,
  decodeCheckpoint,
} from "../../shared/checkpoint/checkpoint.ts";
import { realDisk } from "../../shared/checkpoint/disk.ts";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import {
  CheckpointStore,
  CheckpointWriteError,
  NoValidCheckpoint,
  Replaced,
} from "../../shared/checkpoint/store.ts";
import { filled, sampleCheckpoint } from "./sample-checkpoint.ts";
import { expectNothingLost, killNow, lastDurable, startWriter } from "./writer-process.ts";

let folder: string;
let store: CheckpointStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkpoints-"));
  store = new CheckpointStore(folder);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const expected = sampleCheckpoint();

function write(incarnation: number, cursor: number, more: Partial<Checkpoint> = {}): Promise<void> {
  return store.write(sampleCheckpoint({ incarnation, cursor, ...more }));
}

async function newest(): Promise<readonly [number, number] | undefined> {
  const { restored } = await store.loadNewest(expected);
  return restored && [restored.checkpoint.incarnation, restored.checkpoint.cursor];
}

function pathOf(incarnation: number, cursor: number): string {
  const name = `checkpoint-${String(incarnation).padStart(6, "0")}-${String(cursor).padStart(9, "0")}.safetensors`;
  return join(folder, name);
}

/** How many floats it holds; throws if a bit of it is not as it was written. */
async function decodes(path: string): Promise<number> {
  return decodeCheckpoint(await readFile(path)).tensors["layer.w"]!.length;
}

async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
}

describe("writing", () => {
  test("what was written is restored, with its path and age", async () => {
    await write(3, 40);
    const { restored, skipped } = await store.loadNewest(expected);
    expect(restored?.checkpoint).toEqual(sampleCheckpoint());
    expect(restored?.path).toBe(pathOf(3, 40));
    expect(restored?.ageMs).toBeGreaterThanOrEqual(0);
    expect(restored?.ageMs).toBeLessThan(60_000);
    expect(skipped).toEqual([]);
  });

  test("a folder that was taken away is made again, with those above it", async () => {
    await write(3, 40);
    await rm(folder, { recursive: true });
    await write(3, 41);
    expect(await newest()).toEqual([3, 41]);
    store = new CheckpointStore(join(folder, "deep", "within"));
    await write(3, 42);
    expect(await newest()).toEqual([3, 42]);
  });

  test("a small one after a large one, and a large one after that, are each what they were", async () => {
    const tensors = (length: number) => ({ tensors: { "layer.w": filled(length, length) } });
    for (const [cursor, length] of [
      [10, 5000],
      [20, 3],
      [30, 6000],
    ] as const) {
      await write(3, cursor, tensors(length));
      const { restored } = await store.loadNewest(expected);
      expect(restored?.checkpoint.tensors).toEqual(tensors(length).tensors);
      expect((await readFile(pathOf(3, cursor))).length).toBeLessThan(4 * length + 2000);
    }
    const sizes = await Promise.all([10, 20, 30].map(async (cursor) => decodes(pathOf(3, cursor))));
    expect(sizes).toEqual([5000, 3, 6000]);
  });

  test("keeps the newest three and nothing else", async () => {
    for (const cursor of [9, 99, 100, 1000, 999]) await write(3, cursor);
    expect((await readdir(folder)).sort()).toEqual(
      [pathOf(3, 100), pathOf(3, 999), pathOf(3, 1000)].map((path) => path.slice(folder.length + 1)),
    );
  });

  test("a later life is newer, however low its cursor", async () => {
    await write(3, 400);
    await write(3, 600);
    await write(4, 200);
    expect(await newest()).toEqual([4, 200]);
    expect(await readdir(folder)).toHaveLength(3);
  });

  test("a cursor below three others cannot be saved, and is told so", async () => {
    for (const cursor of [10, 20, 30]) await write(4, cursor);
    await expect(write(4, 5)).rejects.toThrow(
      /Cannot write .*: 3 newer ones are there, the newest is checkpoint-000004-000000030/,
    );
    expect(await newest()).toEqual([4, 30]);
  });

  test("a life that was replaced may rely on nothing it saves, from the newer one's claim on", async () => {
    expect(await claimIncarnation(folder)).toBe(1);
    await write(1, 500);
    expect(await claimIncarnation(folder)).toBe(2);
    await expect(write(1, 600)).rejects.toThrow(Replaced);
    await write(2, 510);
    await expect(write(1, 700)).rejects.toThrow(/Cannot rely on .*: a newer life has claimed the folder/);
    expect(await newest()).toEqual([2, 510]);
  });

  test("before the first batch there is a checkpoint too", async () => {
    await write(3, -1);
    expect(await newest()).toEqual([3, -1]);
    await write(3, 0);
    expect(await newest()).toEqual([3, 0]);
  });

  test("copies at once: the caller trains on while it writes", async () => {
    const tensors = { "layer.weights": filled(1000, 40) };
    const writing = store.write(sampleCheckpoint({ tensors }));
    tensors["layer.weights"].fill(41);
    await writing;
    const { restored } = await store.loadNewest(expected);
    expect(restored?.checkpoint.tensors).toEqual({ "layer.weights": filled(1000, 40) });
  });

  test("one at a time: a second is refused until the first is done", async () => {
    const first = write(3, 40);
    expect(store.isWriting).toBe(true);
    await expect(write(3, 50)).rejects.toThrow("another write is under way");
    await store.idle();
    expect(store.isWriting).toBe(false);
    await first;
    await write(3, 50);
    expect(await newest()).toEqual([3, 50]);
  });

  test("a state with NaN is not saved, and the next good one is", async () => {
    await write(3, 40);
    const poisoned = { tensors: { "layer.weights": filled(3, Number.NaN) } };
    await expect(write(3, 50, poisoned)).rejects.toThrow(CheckpointError);
    expect(await newest()).toEqual([3, 40]);
    await write(3, 60);
    expect(await newest()).toEqual([3, 60]);
  });

  test("the end of a run replaces the same cursor's checkpoint", async () => {
    await write(3, 40, { batches: 41 });
    await write(3, 40, { batches: 41, finished: true });
    const { restored } = await store.loadNewest(expected);
    expect(restored?.checkpoint.finished).toBe(true);
  });
});

describe("restoring", () => {
  test("a folder without checkpoints, or without existence, is a fresh start", async () => {
    await writeFile(join(folder, "incarnation.1"), "");
    expect(await store.loadNewest(expected)).toMatchObject({ restored: undefined, skipped: [] });
    store = new CheckpointStore(join(folder, "state", "layer2"));
    expect(await store.loadNewest(expected)).toMatchObject({ restored: undefined, skipped: [] });
    await write(1, 5);
    expect(await newest()).toEqual([1, 5]);
  });

  test("a damaged newest gives way to the one before, and is set aside with a reason", async () => {
    await write(3, 40);
    await write(3, 50);
    await damage(pathOf(3, 50));
    const { restored, skipped } = await store.loadNewest(expected);
    expect(restored?.checkpoint.cursor).toBe(40);
    expect(skipped).toEqual([
      { path: pathOf(3, 50), why: expect.stringContaining("its digest is"), isDamaged: true },
    ]);
    expect((await readdir(folder)).sort()).toEqual(
      [pathOf(3, 40), `${pathOf(3, 50)}.corrupt`].map((path) => path.slice(folder.length + 1)),
    );
  });

  test("a file set aside no longer counts among the three", async () => {
    for (const cursor of [10, 20, 30]) await write(3, cursor);
    await damage(pathOf(3, 30));
    await newest();
    await write(4, 15);
    await damage(pathOf(4, 15));
    expect(await newest()).toEqual([3, 20]);
  });

  test("what the disk cannot read for a while is passed over, and is there when it can again", async () => {
    for (const cursor of [10, 20, 30]) await write(3, cursor);
    const sick = new Set([pathOf(3, 30)]);
    const read = (path: string) =>
      sick.has(path)
        ? Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }))
        : realDisk.read(path);
    store = new CheckpointStore(folder, { ...realDisk, read });
    const { restored, skipped } = await store.loadNewest(expected);
    expect(restored?.checkpoint.cursor).toBe(20);
    expect(skipped).toEqual([{ path: pathOf(3, 30), why: "EIO: i/o error", isDamaged: false }]);
    for (const cursor of [10, 20]) sick.add(pathOf(3, cursor));
    await expect(newest()).rejects.toThrow(NoValidCheckpoint);
    sick.clear();
    expect(await newest()).toEqual([3, 30]);
  });

  test("no more than three damaged ones are kept either", async () => {
    for (let life = 1; life <= 5; life++) {
      await write(life, 10);
      await write(life, 20);
      await damage(pathOf(life, 20));
      expect(await newest()).toEqual([life, 10]);
    }
    await write(6, 10);
    const names = await readdir(folder);
    expect(names.filter((name) => name.endsWith(".corrupt"))).toHaveLength(3);
    expect(names).toHaveLength(6);
  });

  test("when all are damaged it refuses, and refuses again", async () => {
    for (const cursor of [10, 20, 30]) await write(3, cursor);
    for (const cursor of [10, 20, 30]) await truncate(pathOf(3, cursor), cursor);
    const first = store.loadNewest(expected);
    await expect(first).rejects.toThrow(NoValidCheckpoint);
    await expect(first).rejects.toThrow(
      `Cannot restore layer 2: 3 checkpoints in ${folder}, none valid: checkpoint-000003-000000030.safetensors: header is`,
    );
    const second = store.loadNewest(expected);
    await expect(second).rejects.toThrow(NoValidCheckpoint);
    await expect(second).rejects.toThrow("3 checkpoints");
    await expect(second).rejects.toThrow("set aside as damaged before");
  });

  test.each([
    ["run", "premiere", "is of run rehearsal, this is run premiere"],
    ["layer", 1, "is of layer 2, this is layer 1"],
    ["configHash", "decaf", "is of configuration c0ffee, this is configuration decaf"],
  ])("one of another %s is neither loaded nor touched", async (key, value, reason) => {
    await write(3, 40);
    const before = readFileSync(pathOf(3, 40));
    const loading = store.loadNewest({ ...expected, [key]: value });
    await expect(loading).rejects.toThrow(CheckpointMismatch);
    await expect(loading).rejects.toThrow(reason);
    expect(readFileSync(pathOf(3, 40))).toEqual(before);
    expect(await newest()).toEqual([3, 40]);
  });

  test("a file under another's name does not win by it", async () => {
    await write(3, 40);
    await copyFile(pathOf(3, 40), pathOf(9, 40));
    const { restored, skipped } = await store.loadNewest(expected);
    expect(restored?.path).toBe(pathOf(3, 40));
    expect(skipped[0]?.why).toBe("its content belongs in checkpoint-000003-000000040.safetensors");
  });

  test("left-over temporary files are removed at start, other people's files are not", async () => {
    await writeFile(`${pathOf(3, 40)}.00ff00ff.tmp`, "half");
    await writeFile(join(folder, "notes.tmp"), "mine");
    expect(await newest()).toBeUndefined();
    expect(await readdir(folder)).toEqual(["notes.tmp"]);
  });

  test("what cannot be read at all is an error, not a reason to fall back", async () => {
    await write(3, 40);
    await mkdir(pathOf(3, 50));
    await expect(newest()).rejects.toThrow(/Cannot restore layer 2 from .*50\.safetensors: EISDIR/);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test("a folder that is none is named", async () => {
    const path = join(folder, "file");
    await writeFile(path, "");
    store = new CheckpointStore(path);
    await expect(newest()).rejects.toThrow(/Cannot restore layer 2: folder .*file: E/);
    await expect(write(3, 40)).rejects.toThrow(CheckpointWriteError);
  });
});

describe("damaged at random, the newest is never loaded with other content than was written", () => {
  test.each([1, 2, 3, 4])("seed %i", async (seed) => {
    await write(3, 40);
    await write(3, 50);
    const whole = await readFile(pathOf(3, 50));
    let state = seed;
    const random = (below: number) => {
      state = (state * 48271) % 2147483647;
      return state % below;
    };
    for (let round = 0; round < 40; round++) {
      const bytes = Buffer.from(whole);
      if (round % 3 === 0) await writeFile(pathOf(3, 50), bytes.subarray(0, random(whole.length)));
      else {
        bytes[random(whole.length)]! ^= 1 + random(255);
        await writeFile(pathOf(3, 50), bytes);
      }
      expect(await newest()).toEqual([3, 40]);
    }
    await writeFile(pathOf(3, 50), whole);
    expect(await newest()).toEqual([3, 50]);
  });
});

describe("on a bad disk", () => {
  test("a full one loses nothing that was there, and saving heals with space", async (context) => {
    await onSmallDisk(context, async (disk) => {
      store = new CheckpointStore(disk);
      const floats = { tensors: { "layer.weights": filled(60_000, 1) } };
      for (const cursor of [10, 20, 30]) await write(3, cursor, floats);
      await writeFile(join(disk, "ballast"), Buffer.alloc(200_000));
      const failing = write(3, 40, floats);
      await expect(failing).rejects.toThrow(CheckpointWriteError);
      await expect(failing).rejects.toThrow(/Cannot write checkpoint-000003-000000040.*ENOSPC/);
      expect((await readdir(disk)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      expect(await newest()).toEqual([3, 30]);
      await rm(join(disk, "ballast"));
      await write(3, 50, floats);
      expect(await newest()).toEqual([3, 50]);
    });
  });

  test("one that went read-only is an error with a reason, at start and at writing", async (context) => {
    await onSmallDisk(context, async (disk) => {
      store = new CheckpointStore(disk);
      await write(3, 10);
      execFileSync("mount", ["-o", "remount,ro", disk]);
      await expect(write(3, 20)).rejects.toThrow(/Cannot write .*: EROFS/);
      await expect(newest()).rejects.toThrow(/Cannot restore layer 2: folder .*: EROFS/);
      execFileSync("mount", ["-o", "remount,rw", disk]);
      expect(await newest()).toEqual([3, 10]);
    });
  });

  test("a folder closed to us is an error with a reason", async (context) => {
    if (process.getuid?.() === 0) return context.skip("nothing is closed to root");
    await write(3, 10);
    chmodSync(folder, 0o555);
    await expect(write(3, 20)).rejects.toThrow(/Cannot write .*: EACCES/);
    await expect(newest()).rejects.toThrow(/Cannot restore layer 2: folder .*: EACCES/);
    chmodSync(folder, 0o755);
    expect(await newest()).toEqual([3, 10]);
  });
});

/** Runs `body` on a disk of 1 MB, or skips, saying why. */
async function onSmallDisk(context: TestContext, body: (disk: string) => Promise<void>): Promise<void> {
  const disk = join(folder, "disk");
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
    const { child, lines, reports, end, go } = await startWriter(folder, floats, 1000);
    // Some writes in, and a little later each time, so as to hit different moments of the next one.
    lines.on("line", () => reports.length === 2 + life && setTimeout(() => killNow(child), 3 * life));
    go();
    await end;
    const durable = lastDurable(reports);
    expect(durable?.[0]).toBe(life);
    expect(durable?.[1]).toBeGreaterThan(cursor);
    [, cursor] = (await expectNothingLost(folder, durable, floats))!;
  }
});
