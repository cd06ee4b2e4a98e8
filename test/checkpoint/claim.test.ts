import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Claim } from "../../shared/checkpoint/claim.ts";
import { realDisk } from "../../shared/checkpoint/disk.ts";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";

const newFolder = () => mkdtemp(join(tmpdir(), "office-"));

it("is lost to whoever claims the folder later, and not before", async () => {
  const folder = await newFolder();
  const office = new Claim(folder, await claimIncarnation(folder), realDisk);
  expect(await office.look()).toBe("in office");
  await expect(office.require("a manifest")).resolves.toBeUndefined();
  await claimIncarnation(folder);
  expect(await office.look()).toBe("replaced");
  await expect(office.require("a manifest")).rejects.toThrow(`Cannot rely on a manifest in ${folder}`);
});

it("is unknown where the folder cannot be read, and nothing may be relied on", async () => {
  const file = join(await newFolder(), "no folder");
  await writeFile(file, "");
  const office = new Claim(file, 1, realDisk);
  expect(await office.look()).toBe("unknown");
  await expect(office.require("a manifest")).rejects.toThrow("ENOTDIR");
});

it("is unknown where the disk owes the answer for too long, and known where it does not", async () => {
  const folder = await newFolder();
  const incarnation = await claimIncarnation(folder);
  const atOnce = { after: (_: number, run: () => void) => run() };
  const never = { after: () => undefined };
  const silent = { ...realDisk, list: () => new Promise<never>(() => {}) };
  expect(await new Claim(folder, incarnation, silent).lookWithin(1000, atOnce)).toBe("unknown");
  expect(await new Claim(folder, incarnation, realDisk).lookWithin(1000, never)).toBe("in office");
  await claimIncarnation(folder);
  expect(await new Claim(folder, incarnation, realDisk).lookWithin(1000, never)).toBe("replaced");
});
