import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { realDisk } from "../../shared/checkpoint/disk.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "disk-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it("removes a file, and is content if there is none", async () => {
  const path = join(folder, "file");
  writeFileSync(path, "content");
  await realDisk.remove(path);
  expect(existsSync(path)).toBe(false);
  await realDisk.remove(path);
});

it("says so where something cannot be removed", async () => {
  await expect(realDisk.remove(folder)).rejects.toThrow(folder);
  expect(existsSync(folder)).toBe(true);
});

it("writes all bytes, more than the system takes in one piece of writeFile", async () => {
  const path = join(folder, "file");
  const bytes = Uint8Array.from({ length: 1_500_001 }, (_, n) => n % 251);
  const file = await realDisk.create(path);
  await file.write(bytes);
  await file.close();
  expect(Buffer.from(bytes).equals(await realDisk.read(path))).toBe(true);
});
