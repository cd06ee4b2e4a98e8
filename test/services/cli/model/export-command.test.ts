import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../../../services/cli/program.ts";
import { RunRecord } from "../../../../shared/record/run-record.ts";
import { crc32c } from "../../../../shared/record/tensorboard/crc32c.ts";
import { testEdges } from "../../../support/edges.ts";
import { keptByTensorBoard, readEvents } from "../../../support/event-files.ts";
import { BEGAN_AT, runOnFile } from "../../../support/processes/run-on-file.ts";

let runs: string;
let folder: string;
let to: string;

beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), "unlocked-export-"));
  folder = runOnFile(runs, "killed");
  to = join(runs, "events");
});

afterEach(() => rmSync(runs, { recursive: true, force: true }));

async function exported(...args: string[]) {
  const said = { out: "", err: "" };
  const code = await runProgram(["export", "--tensorboard", to, "--runs", runs, ...args], testEdges(said));
  return { code, ...said };
}

function fileOf(worker: string): string {
  return join(to, worker, readdirSync(join(to, worker))[0]!);
}

describe("TensorBoard's event files", () => {
  it("are read back by somebody who never saw ours, the version first", async () => {
    const { code, out } = await exported();
    expect(code).toBe(0);
    expect(out.trim().split("\n")).toEqual(
      ["source", "layer1", "layer2", "layer3"].map((name) => join(to, name)),
    );
    const [head, ...events] = readEvents(fileOf("layer3"));
    expect(head).toMatchObject({ version: "brain.Event:2" });
    expect(head!.wall).toBe(BEGAN_AT / 1000);
    const tested = events.filter(({ scalars }) => scalars?.["test/accuracy"] !== undefined);
    expect(tested.map(({ step }) => step)).toEqual([0, 49, 99]);
    expect(tested.at(-1)!.scalars!["test/accuracy"]).toBeCloseTo(0.9, 6);
  });

  it("have of a killed layer what stands, once TensorBoard drops what a session replaces", async () => {
    await exported();
    const events = readEvents(fileOf("layer2"));
    expect(events.filter(({ session }) => session === 1).map(({ step }) => step)).toEqual([50]);
    const stands = RunRecord.read(folder).standing.segments("layer2");
    const curve = keptByTensorBoard(events, "generator/error");
    expect(curve.map(([step]) => step)).toEqual(stands.map(({ last }) => last));
    for (const [index, [, value]] of curve.entries())
      expect(value).toBeCloseTo(stands[index]!.generatorError!, 6);
  });

  it("control: without the session the curve has a step twice", async () => {
    await exported();
    const steps = keptByTensorBoard(
      readEvents(fileOf("layer2")).filter(({ session }) => session === undefined),
      "generator/error",
    ).map(([step]) => step);
    expect(steps.length).toBeGreaterThan(new Set(steps).size);
  });

  it("do not pass the reader when a single byte of one is another", async () => {
    await exported();
    const bytes = readFileSync(fileOf("layer1"));
    bytes[bytes.length - 8]! ^= 1;
    writeFileSync(join(runs, "spoilt"), bytes);
    expect(() => readEvents(join(runs, "spoilt"))).toThrow(/checksum/);
  });

  it("are not written over", async () => {
    await exported();
    expect(await exported()).toMatchObject({
      code: 78,
      err: expect.stringMatching(/^Cannot write event files .*EEXIST/),
    });
  });
});

it.each([
  ["123456789", 0xe3069283],
  ["", 0],
  ["\0".repeat(32), 0x8a9136aa],
])("the checksum of %j is that of RFC 3720", (text, crc) => expect(crc32c(Buffer.from(text))).toBe(crc));
