import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Snapshots } from "../../../services/source/snapshots.ts";
import { realDisk } from "../../../shared/checkpoint/disk.ts";
import type { SnapshotFrame } from "../../../shared/wire/frames.ts";

const NAME = "000000010-0123abcd";
const frame: SnapshotFrame = {
  kind: "snapshot",
  snapshot: NAME,
  saved: [{ layer: 1, digest: "d".repeat(64) }],
};
const inOffice = () => Promise.resolve();

let record: string;

beforeEach(async () => {
  record = await mkdtemp(join(tmpdir(), "snapshots-"));
});

afterEach(() => rm(record, { recursive: true }));

function open() {
  return Snapshots.open({ run: "r", configHash: "c0ffee", record, layers: 1 }, realDisk);
}

/** What is saved when its source looks at the claims, and sees none, just before a newer one comes. */
async function savedWhile(comes: () => Promise<unknown>) {
  const former = await open();
  former.began(NAME);
  return former.saved(frame, new Date(0), async () => void (await comes()));
}

describe("the snapshots of a source", () => {
  it("have a manifest that the next one finds, and has layers keep", async () => {
    expect(await savedWhile(inOffice)).toBe(true);
    const newer = await open();
    expect(newer.newest).toBe(10);
    expect(newer.began("000000020-0123abcd")).toEqual([NAME]);
  });

  it("have none that a newer one, which came meanwhile, does not know of", async () => {
    let newer: Snapshots | undefined;
    const saved = savedWhile(async () => {
      newer = await open();
    });
    await expect(saved).rejects.toThrow("ENOENT");
    expect(newer!.newest).toBe(-1);
    expect(await readdir(join(record, "snapshots"))).toEqual([]);
  });

  it("have none where the source is not in office any more", async () => {
    await expect(savedWhile(() => Promise.reject(new Error("replaced")))).rejects.toThrow("replaced");
    expect(await readdir(join(record, "snapshots"))).toEqual([]);
  });

  it("have none of which nobody waits for, or that lacks a layer", async () => {
    const source = await open();
    source.began("000000020-0123abcd");
    expect(await source.saved(frame, new Date(0), inOffice)).toBe(false);
    source.began(NAME);
    await expect(source.saved({ ...frame, saved: [] }, new Date(0), inOffice)).rejects.toThrow("of 0 layers");
    expect(await readdir(join(record, "snapshots"))).toEqual([]);
  });
});
