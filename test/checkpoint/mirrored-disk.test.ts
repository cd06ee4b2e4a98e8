import { randomUUID } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Disk } from "../../shared/checkpoint/disk.ts";
import { claimIncarnation, isReplaced } from "../../shared/checkpoint/incarnation.ts";
import { openS3 } from "../../shared/checkpoint/s3-store.ts";
import { type CheckpointStore, Replaced } from "../../shared/checkpoint/store.ts";
import { BUCKET } from "../support/engines/object-server.ts";
import { NodesWithStore } from "./nodes-with-store.ts";
import { sampleCheckpoint } from "./sample-checkpoint.ts";

const expected = sampleCheckpoint();

describe.each([
  ["that knows conditional writes", true],
  ["that does not", false],
])("a state folder with a store %s", (_, isConditional) => {
  const nodes = new NodesWithStore(isConditional);

  it("is found by a node that has nothing", async () => {
    const one = nodes.node();
    expect(await claimIncarnation(one.state, one.disk)).toBe(1);
    await one.store.write(sampleCheckpoint({ incarnation: 1, cursor: 7 }));

    const other = nodes.node();
    expect(await claimIncarnation(other.state, other.disk)).toBe(2);
    const { restored } = await other.store.loadNewest(expected);
    expect(restored?.checkpoint).toEqual(sampleCheckpoint({ incarnation: 1, cursor: 7 }));
    expect(restored?.ageMs).toBeLessThan(60_000);
  });

  it("keeps three checkpoints there and here", async () => {
    const { state, store } = nodes.node();
    for (let cursor = 0; cursor < 6; cursor++)
      await store.write(sampleCheckpoint({ incarnation: 1, cursor }));
    const names = [3, 4, 5].map((cursor) => `checkpoint-000001-00000000${cursor}.safetensors`);
    expect((await nodes.objects.list("")).sort()).toEqual(names);
    expect(readdirSync(state).sort()).toEqual(names);
  });

  it("calls nothing durable that a newer life on another node may have missed", async () => {
    const [one, other] = [nodes.node(), nodes.node()];
    const incarnation = await claimIncarnation(one.state, one.disk);
    await claimIncarnation(other.state, other.disk);
    expect(await isReplaced(one.state, incarnation, one.disk)).toBe(true);
    await expect(one.store.write(sampleCheckpoint({ incarnation, cursor: 7 }))).rejects.toThrow(Replaced);
  });
});

describe("a state folder whose store is away", () => {
  const nodes = new NodesWithStore(true);
  let state: string;
  let disk: Disk;
  let store: CheckpointStore;

  beforeEach(() => {
    ({ state, disk, store } = nodes.node());
  });

  it("says so, keeps the newest here, and goes on when it is back", async () => {
    const incarnation = await claimIncarnation(state, disk);
    await store.write(sampleCheckpoint({ incarnation, cursor: 0 }));
    nodes.server.trouble = "down";
    for (let cursor = 1; cursor < 5; cursor++) {
      const written = store.write(sampleCheckpoint({ incarnation, cursor }));
      await expect(written).rejects.toThrow(
        /^Cannot write checkpoint-000001-00000000\d.safetensors in .*: Cannot write .* in s3:\/\/kept\/\S+: /,
      );
    }
    // The claim, the one that is durable, and the newest.
    expect(readdirSync(state)).toHaveLength(3);
    nodes.server.trouble = "none";
    expect(await cursorFound()).toBe(4);
    await store.write(sampleCheckpoint({ incarnation, cursor: 5 }));
    rmSync(state, { recursive: true });
    expect(await cursorFound()).toBe(5);
  });

  it("begins again on its own node with what never got to the store", async () => {
    await store.write(sampleCheckpoint({ incarnation: 1, cursor: 0 }));
    nodes.server.trouble = "down";
    await store.write(sampleCheckpoint({ incarnation: 1, cursor: 1 })).catch(() => undefined);
    nodes.server.trouble = "none";
    expect(await cursorFound()).toBe(1);
  });

  it("keeps credentials out of what it says", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "NOBODY");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "not-the-secret");
    const stranger = openS3(`s3://${BUCKET}/${randomUUID()}`);
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
