import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { integerBelow, randomStream, uniform } from "../../shared/data/random.ts";
import type { Summary } from "../../shared/record/summary.ts";
import { housingLike, irisLike, npyBytes, put, shapes, wordsLike } from "../support/data-files.ts";
import { Experiment } from "../support/processes/experiment.ts";

const folder = mkdtempSync(join(tmpdir(), "own-data-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Trains over processes by a config alone; the most memory that the source ever had, in MB. */
async function trained(config: string, method: string): Promise<Summary & { readonly sourceMb: number }> {
  const rate = method === "backprop" ? ["learning.layer.rate=0.001"] : [];
  const experiment = new Experiment(config, {
    set: ["seed=1", `learning.method=${method}`, ...rate],
    options: ["--no-dashboard"],
  });
  let sourceMb = 0;
  const look = setInterval(() => {
    const [, pid] = /source (\d+)/.exec(experiment.output) ?? [];
    sourceMb = Math.max(sourceMb, pid === undefined ? 0 : memoryOf(pid));
  }, 200);
  try {
    const summary = await experiment.summary();
    console.log(`${config} ${method}: ${JSON.stringify(shown(summary))}, source ${sourceMb.toFixed(0)} MB`);
    return { ...summary, sourceMb };
  } finally {
    clearInterval(look);
    await experiment.close();
  }
}

function shown({ test: { error, rmse, r2 }, wallSeconds }: Summary) {
  return { error, ...(rmse && { rmse }), ...(r2 && { r2 }), wallSeconds };
}

function memoryOf(pid: string): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

type Trained = Awaited<ReturnType<typeof trained>>;

async function byEach<Method extends string>(methods: readonly Method[], name: string, text: string) {
  const config = put(join(folder, `${name}.yaml`), text);
  const found = {} as Record<Method, Trained>;
  for (const method of methods) found[method] = await trained(config, method);
  return found;
}

describe("data of the user's own, over processes, by a config alone", () => {
  it("flowers in a CSV file are told apart as well as by backprop", async () => {
    const path = put(join(folder, "iris.csv"), irisLike(1000));
    const { cdni, backprop } = await byEach(
      ["cdni", "backprop"],
      "iris",
      `data: { set: csv, path: ${path}, label: species, heldOut: 0.5 }
layers: [{ outputs: 32 }, { outputs: 32 }, { outputs: 3 }]
run: { epochs: 30, batchSize: 50 }
`,
    );
    expect(cdni.test.error).toBeLessThanOrEqual(backprop.test.error + 0.01);
    expect(cdni.test.error).toBeLessThan(0.1);
    expect(cdni.test.confusion?.reduce((sum, count) => sum + count, 0)).toBe(500);
  });

  it("prices of houses come as close as by backprop, and closer than where only the head learns", async () => {
    const path = put(join(folder, "housing.csv"), housingLike(2000));
    const { cdni, backprop, frozen } = await byEach(
      ["cdni", "backprop", "frozen"],
      "housing",
      `data: { set: csv, path: ${path}, label: price }
layers: [{ outputs: 64 }, { outputs: 64 }, { outputs: 1 }]
run: { epochs: 150, batchSize: 64 }
`,
    );
    const rmseOf = ({ test }: Trained) => test.rmse![0]!;
    expect(rmseOf(cdni)).toBeLessThanOrEqual(1.05 * rmseOf(backprop));
    expect(rmseOf(cdni)).toBeLessThan(0.85 * rmseOf(frozen));
    expect(cdni.test.r2![0]).toBeGreaterThan(0.95);
  });

  it("pictures in five folders are told apart as well as by backprop, far better than by the head alone", async () => {
    const path = join(folder, "shapes");
    await shapes(path, 500);
    const { cdni, backprop, frozen } = await byEach(
      ["cdni", "backprop", "frozen"],
      "shapes",
      `data: { set: images, path: ${path}, height: 20, width: 20, colour: grey, heldOut: 0.4, cache: ${join(folder, "cache")} }
layers:
  - { kind: conv, channels: 16, kernel: 5, stride: 2, padding: 2 }
  - { kind: conv, channels: 32, kernel: 3, stride: 2, padding: 1 }
  - { outputs: 64 }
  - { outputs: 5 }
run: { epochs: 50, batchSize: 50 }
`,
    );
    expect(cdni.test.error).toBeLessThanOrEqual(backprop.test.error + 0.01);
    expect(cdni.test.error).toBeLessThan(frozen.test.error);
  });

  it("the next character of a text is told as well as by backprop, far better than by the head alone", async () => {
    const path = put(join(folder, "words.txt"), wordsLike(8000));
    const { cdni, backprop, frozen } = await byEach(
      ["cdni", "backprop", "frozen"],
      "words",
      `data: { set: text, path: ${path}, window: 16 }
layers: [{ outputs: 32 }, { outputs: 32 }, { outputs: 15 }]
run: { batches: 2000, batchSize: 64 }
`,
    );
    expect(cdni.test.error).toBeLessThanOrEqual(backprop.test.error + 0.01);
    expect(cdni.test.error).toBeLessThan(frozen.test.error / 2);
  });

  it("arrays of 8 GB are read from the disk by a source of at most 200 MB", async () => {
    const { inputs, labels, bytes } = sparse(join(folder, "x.npy"), join(folder, "y.npy"));
    expect(statSync(inputs).size).toBeGreaterThan(8e9);
    expect(bytes).toBe(statSync(inputs).size);
    const { cdni, backprop } = await byEach(
      ["cdni", "backprop"],
      "sparse",
      `data: { set: npy, path: ${inputs}, labels: ${labels}, heldOut: 0.01 }
layers: [{ outputs: 32 }, { outputs: 32 }, { outputs: 2 }]
run: { batches: 150, batchSize: 64 }
`,
    );
    for (const { sourceMb } of [cdni, backprop]) {
      expect(sourceMb).toBeGreaterThan(20);
      expect(sourceMb).toBeLessThanOrEqual(200);
    }
    expect(cdni.test.error).toBeLessThanOrEqual(backprop.test.error + 0.01);
  });
});

/** 200,000 rows of 10,000 floats, of which the first say whether a row is of class 1, in one row of ten. */
function sparse(inputs: string, labels: string) {
  const [rows, width] = [200_000, 10_000];
  const header = npyBytes("<f4", [rows, width], new Uint8Array());
  const random = randomStream(14);
  const classes = new Array<number>(rows).fill(0);
  const file = openSync(inputs, "w");
  const bytes = header.length + rows * width * 4;
  try {
    ftruncateSync(file, bytes);
    writeSync(file, header, 0, header.length, 0);
    for (let row = 0; row < rows; row += 10) {
      classes[row] = integerBelow(random, 2);
      const sign = classes[row] ? 1 : -1;
      const values = Float32Array.from({ length: 16 }, () => sign * (1 + uniform(random)));
      writeSync(file, new Uint8Array(values.buffer), 0, 64, header.length + row * width * 4);
    }
  } finally {
    closeSync(file);
  }
  put(labels, npyBytes("<i8", [rows], Buffer.from(BigInt64Array.from(classes, BigInt).buffer)));
  return { inputs, labels, bytes };
}
