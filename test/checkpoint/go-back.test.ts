import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../shared/checkpoint/disk.ts";
import { findSnapshot, goBack, type Places } from "../../shared/checkpoint/go-back.ts";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import { listManifests, writeManifest } from "../../shared/checkpoint/snapshot-manifest.ts";
import { batchOf, snapshotName } from "../../shared/checkpoint/snapshot-name.ts";
import { SnapshotStore } from "../../shared/checkpoint/snapshot-store.ts";
import { CheckpointStore, Replaced } from "../../shared/checkpoint/store.ts";
import { sampleCheckpoint } from "./sample-checkpoint.ts";

let folder: string;
let places: Places;
const identity = { run: "rehearsal", configHash: "c0ffee" };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "go-back-"));
  places = { ...identity, record: folder, states: [1, 2].map((layer) => join(folder, `layer${layer}`)) };
  for (const state of places.states) await mkdir(state);
});

afterEach(() => rm(folder, { recursive: true }));

let count = 0;
function random(): number {
  count += 1;
  return count / 1000;
}

/** Both layers save themselves at the barrier, and the manifest is written. */
async function snapshot(batch: number): Promise<string> {
  const name = snapshotName(batch, random);
  const kept = await listManifests(join(folder, "snapshots"));
  const layers = [];
  for (const [index, state] of places.states.entries()) {
    const share = { ...shareOf(index + 1, batch - 1), incarnation: 1 };
    layers.push({ layer: index + 1, digest: await new SnapshotStore(state).write(name, share, kept) });
  }
  const manifest = { ...identity, snapshot: name, batch, savedAt: "2026-01-01T00:00:00.000Z", layers };
  await writeManifest(join(folder, "snapshots"), manifest);
  return name;
}

function shareOf(layer: number, cursor: number) {
  return sampleCheckpoint({ layer, cursor });
}

function fileOf(layer: number, name: string): string {
  return join(folder, `layer${layer}`, "snapshots", `${name}.safetensors`);
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  await writeFile(path, bytes);
}

async function cursors(): Promise<(number | undefined)[]> {
  const found = places.states.map((state, index) =>
    new CheckpointStore(state).loadNewest({ ...identity, layer: index + 1 }),
  );
  return (await Promise.all(found)).map(({ restored }) => restored?.checkpoint.cursor);
}

describe("the snapshots of a run", () => {
  it("are the last two: files go once a newer manifest is there, and the next barrier says so", async () => {
    const names = [];
    for (const batch of [10, 20, 30, 40]) names.push(await snapshot(batch));
    expect(await listManifests(join(folder, "snapshots"))).toEqual([names[3], names[2]]);
    expect((await readdir(join(folder, "layer1", "snapshots"))).map(batchOf)).toEqual([20, 30, 40]);
  });

  it("are none where a newer life has claimed the layer's folder: that one was not asked", async () => {
    await claimIncarnation(places.states[0]!);
    await claimIncarnation(places.states[0]!);
    const share = { ...shareOf(1, 9), incarnation: 1 };
    const written = new SnapshotStore(places.states[0]!).write("000000010-00000000", share, []);
    await expect(written).rejects.toBeInstanceOf(Replaced);
  });

  it("are copies of the moment, whatever is learnt while they are written", async () => {
    const share = { ...shareOf(1, 9), incarnation: 1 };
    const store = new SnapshotStore(places.states[0]!);
    const written = store.write("000000010-00000000", share, []);
    share.tensors["layer.weights"]!.fill(77);
    await expect(store.write("000000010-00000001", share, [])).rejects.toThrow("another one is under way");
    await written;
    const { checkpoint } = await store.read("000000010-00000000");
    expect(checkpoint.tensors["layer.weights"]![0]).toBe(9);
  });
});

describe("the one to go back to", () => {
  it("is the newest, or the newest up to a batch", async () => {
    const [ten, twenty] = [await snapshot(10), await snapshot(20)];
    expect((await findSnapshot(places)).found?.manifest.snapshot).toBe(twenty);
    expect((await findSnapshot(places, 19)).found?.manifest.snapshot).toBe(ten);
    expect((await findSnapshot(places, 9)).found).toBeUndefined();
    expect((await findSnapshot(places)).unfit).toEqual([]);
  });

  it.each<[string, (name: string) => Promise<void>, RegExp]>([
    ["a bit of a file has flipped", (name) => flip(fileOf(2, name), -1), /layer 2: .*digest/],
    ["a file is gone", (name) => rm(fileOf(1, name)), /layer 1: .*ENOENT/],
    ["a file is cut short", (name) => writeFile(fileOf(1, name), "short"), /layer 1: /],
    [
      "a file is another's",
      async (name) => writeFile(fileOf(2, name), await readFile(fileOf(1, name))),
      /layer 2: its checkpoint is of layer 1|Cannot restore layer 2/,
    ],
    [
      "a file is whole, and of another time",
      async (name) => {
        await rm(fileOf(2, name));
        await new SnapshotStore(places.states[1]!).write(name, { ...shareOf(2, 15), incarnation: 1 }, []);
      },
      /layer 2: its file is another than the manifest says/,
    ],
    [
      "its manifest is no manifest",
      (name) => writeFile(join(folder, "snapshots", `${name}.json`), "{}"),
      /expected|invalid/i,
    ],
  ])("is an older one where %s, and it says why", async (_, spoil, why) => {
    const ten = await snapshot(10);
    const twenty = await snapshot(20);
    await spoil(twenty);
    const { found, unfit } = await findSnapshot(places);
    // A layer that saves again removes what nobody keeps.
    if (unfit.length === 1) expect(found?.manifest.snapshot).toBe(ten);
    expect(unfit[0]!.name).toBe(twenty);
    expect(unfit[0]!.why).toMatch(why);
  });

  it("is none of another run or configuration", async () => {
    await snapshot(10);
    for (const other of [{ run: "another" }, { configHash: "beef" }]) {
      const { found, unfit } = await findSnapshot({ ...places, ...other });
      expect(found).toBeUndefined();
      expect(unfit[0]!.why).toMatch(/it is of (run rehearsal|another configuration)/);
    }
  });
});

describe("going back", () => {
  it("makes every layer begin there, in a life above all before, and loses nothing that was there", async () => {
    await snapshot(10);
    const twenty = await snapshot(20);
    for (const [index, state] of places.states.entries()) {
      await claimIncarnation(state);
      const store = new CheckpointStore(state);
      for (const cursor of [12, 24, 25]) await store.write({ ...shareOf(index + 1, cursor), incarnation: 1 });
    }
    const files = await everyFile();
    expect(await cursors()).toEqual([25, 25]);
    const { found } = await findSnapshot(places, 15);
    await goBack(places, found!, "aside-1");
    expect(await cursors()).toEqual([9, 9]);
    expect(await claimIncarnation(places.states[0]!)).toBe(3);
    for (const [name, bytes] of files) {
      const isClaim = name.startsWith("incarnation.");
      if (!isClaim) expect((await everyFile()).get(name), name).toEqual(bytes);
    }
    expect(await readdir(join(folder, "layer1", "aside-1"))).toHaveLength(3);
    expect(await readdir(join(folder, "snapshots", "aside-1"))).toEqual([`${twenty}.json`]);
    expect((await findSnapshot(places)).found?.manifest.batch).toBe(10);
  });

  it("can be done again where it was interrupted, and meanwhile every layer has something to begin with", async () => {
    await snapshot(10);
    for (const [index, state] of places.states.entries()) {
      await claimIncarnation(state);
      await new CheckpointStore(state).write({ ...shareOf(index + 1, 15), incarnation: 1 });
    }
    const { found } = await findSnapshot(places);
    for (let calls = 1; ; calls++) {
      let left = calls;
      const dying = new Proxy(realDisk, {
        get: (disk, key: keyof typeof realDisk) => {
          return (...args: never[]) => {
            if (left-- <= 0) throw new Error("interrupted");
            return (disk[key] as (...args: never[]) => unknown)(...args);
          };
        },
      });
      const isOver = await goBack(places, found!, `aside-${calls}`, dying).then(
        () => true,
        () => false,
      );
      for (const cursor of await cursors()) expect([9, 15]).toContain(cursor);
      if (isOver) break;
    }
    expect(await cursors()).toEqual([9, 9]);
  });
});

/** Name → content, wherever it lies. */
async function everyFile(): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const read = async (path: string) => (await readFile(path)).toString("base64");
  return new Map(
    await Promise.all(
      files.map(async ({ name, parentPath }) => {
        const owner = /layer\d/.exec(parentPath)?.[0] ?? "";
        return [
          name.startsWith("incarnation.") ? name : `${owner} ${name}`,
          await read(join(parentPath, name)),
        ] as const;
      }),
    ),
  );
}
