import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "incarnation-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("the first life is 1, and every later one is higher", async () => {
  const claimed = [];
  for (let life = 0; life < 30; life++) claimed.push(await claimIncarnation(folder));
  expect(claimed).toEqual(Array.from({ length: 30 }, (_, life) => life + 1));
});

test("makes its folder", async () => {
  expect(await claimIncarnation(join(folder, "state", "layer2"))).toBe(1);
});

test("keeps a few files, the newest among them", async () => {
  for (let life = 0; life < 30; life++) await claimIncarnation(folder);
  const names = await readdir(folder);
  expect(names).toContain("incarnation.30");
  expect(names.length).toBeLessThan(10);
});

test("no two of many at once get the same", async () => {
  const claimed = await Promise.all(Array.from({ length: 100 }, () => claimIncarnation(folder)));
  expect(new Set(claimed).size).toBe(100);
  expect(await claimIncarnation(folder)).toBeGreaterThan(Math.max(...claimed));
});

test("never begins below a checkpoint of a life whose claim is gone", async () => {
  await writeFile(join(folder, "checkpoint-000041-000000200.safetensors"), "");
  expect(await claimIncarnation(folder)).toBe(42);
});

test("counts 10 above 9, and nobody else's files", async () => {
  for (const name of ["incarnation.9", "incarnation.10", "incarnation.99.old", "incarnation", "notes.100"]) {
    await writeFile(join(folder, name), "");
  }
  expect(await claimIncarnation(folder)).toBe(11);
});

test("says what it could not do where there is no folder to be had", async () => {
  await writeFile(join(folder, "state"), "a file");
  await expect(claimIncarnation(join(folder, "state", "layer2"))).rejects.toThrow(
    /^Cannot claim an incarnation in .*layer2: ENOTDIR/,
  );
  await mkdir(join(folder, "incarnation.5"));
  expect(await claimIncarnation(folder)).toBe(6);
});
