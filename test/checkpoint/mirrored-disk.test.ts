import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Disk, realDisk } from "../../shared/checkpoint/disk.ts";
import { claimIncarnation, isReplaced } from "../../shared/checkpoint/incarnation.ts";
import { MirroredDisk } from "../../shared/checkpoint/mirrored-disk.ts";
import type { ObjectStore } from "../../shared/checkpoint/object-store.ts";
import { openS3 } from "../../shared/checkpoint/s3-store.ts";
import { CheckpointStore, Replaced } from "../../shared/checkpoint/store.ts";
import { BUCKET, ObjectServer } from "../support/object-server.ts";
import { sampleCheckpoint } from "./sample-checkpoint.ts";

const expected = sampleCheckpoint();

describe.each([
  ["that knows conditional writes", true],
  ["that does not", false],
])("a state folder with a store %s", (_, isConditional) => {
  let server: ObjectServer;
  let objects: ObjectStore;
  const folders: string[] = [];

  beforeAll(async () => {
    server = await ObjectServer.start({ isConditional });
    for (const [name, value] of Object.entries(server.environment())) vi.stubEnv(name, value);
  });
  beforeEach(async () => {
    objects = openS3(`s3://${BUCKET}/${randomUUID()}`);
  });
  afterEach(() => {
    Object.assign(server, { trouble: "none", delayMs: 0 });
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server.close();
  });

  /** A machine with an empty disk of its own, and the same store as the others. */
  function node(): { readonly state: string; readonly disk: Disk; readonly store: CheckpointStore } {
    const state = mkdtempSync(join(tmpdir(), "node-"));
    folders.push(state);
    const disk = new MirroredDisk(realDisk, [{ folder: state, store: objects }]);
    return { state, disk, store: new CheckpointStore(state, disk) };
  }

  it("is found by a node that has nothing", async () => {
    const one = node();
    expect(await claimIncarnation(one.state, one.disk)).toBe(1);
    await one.store.write(sampleCheckpoint({ incarnation: 1, cursor: 7 }));

    const other = node();
    expect(await claimIncarnation(other.state, other.disk)).toBe(2);
    const { restored } = await other.store.loadNewest(expected);
    expect(restored?.checkpoint).toEqual(sampleCheckpoint({ incarnation: 1, cursor: 7 }));
    expect(restored?.ageMs).toBeLessThan(60_000);
  });

  it("keeps three checkpoints there and here", async () => {
    const { state, store } = node();
    for (let cursor = 0; cursor < 6; cursor++)
      await store.write(sampleCheckpoint({ incarnation: 1, cursor }));
    const names = [3, 4, 5].map((cursor) => `checkpoint-000001-00000000${cursor}.safetensors`);
    expect((await objects.list("")).sort()).toEqual(names);
    expect(readdirSync(state).sort()).toEqual(names);
  });

  it("calls nothing durable that a newer life on another node may have missed", async () => {
    const [one, other] = [node(), node()];
    const incarnation = await claimIncarnation(one.state, one.disk);
    await claimIncarnation(other.state, other.disk);
    expect(await isReplaced(one.state, incarnation, one.disk)).toBe(true);
    await expect(one.store.write(sampleCheckpoint({ incarnation, cursor: 7 }))).rejects.toThrow(Replaced);
  });
});

describe("a state folder whose store is away", () => {
  let server: ObjectServer;
  let state: string;
  let disk: Disk;
  let store: CheckpointStore;
  let objects: ObjectStore;

  beforeEach(async () => {
    server = await ObjectServer.start();
    for (const [name, value] of Object.entries(server.environment())) vi.stubEnv(name, value);
    state = mkdtempSync(join(tmpdir(), "node-"));
    objects = openS3(`s3://${BUCKET}/state`);
    disk = new MirroredDisk(realDisk, [{ folder: state, store: objects }]);
    store = new CheckpointStore(state, disk);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    rmSync(state, { recursive: true });
    await server.close();
  });

  it("says so, keeps the newest here, and goes on when it is back", async () => {
    const incarnation = await claimIncarnation(state, disk);
    await store.write(sampleCheckpoint({ incarnation, cursor: 0 }));
    server.trouble = "down";
    for (let cursor = 1; cursor < 5; cursor++) {
      const written = store.write(sampleCheckpoint({ incarnation, cursor }));
      await expect(written).rejects.toThrow(
        /^Cannot write checkpoint-000001-00000000\d.safetensors in .*: Cannot write .* in s3:\/\/kept\/state: /,
      );
    }
    // The claim, the one that is durable, and the newest.
    expect(readdirSync(state)).toHaveLength(3);
    server.trouble = "none";
    expect(await cursorFound()).toBe(4);
    await store.write(sampleCheckpoint({ incarnation, cursor: 5 }));
    rmSync(state, { recursive: true });
    expect(await cursorFound()).toBe(5);
  });

  it("begins again on its own node with what never got to the store", async () => {
    await store.write(sampleCheckpoint({ incarnation: 1, cursor: 0 }));
    server.trouble = "down";
    await store.write(sampleCheckpoint({ incarnation: 1, cursor: 1 })).catch(() => undefined);
    server.trouble = "none";
    expect(await cursorFound()).toBe(1);
  });

  it("keeps credentials out of what it says", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "NOBODY");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "not-the-secret");
    const stranger = openS3(`s3://${BUCKET}/state`);
    const why = await stranger.list("").then(
      () => undefined,
      (error: Error) => `${error.message} ${error.stack}`,
    );
    expect(why).toContain("Cannot list");
    expect(why).not.toMatch(/not-the-secret|Signature=|Credential=/);
  });

  async function cursorFound(): Promise<number | undefined> {
    return (await store.loadNewest(expected)).restored?.checkpoint.cursor;
  }
});
