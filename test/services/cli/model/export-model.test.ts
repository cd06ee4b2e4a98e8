import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../../../services/cli/program.ts";
import { decode } from "../../../../shared/checkpoint/safetensors.ts";
import { writeManifest } from "../../../../shared/checkpoint/snapshot-manifest.ts";
import { CheckpointStore } from "../../../../shared/checkpoint/store.ts";
import { configHash } from "../../../../shared/config/hash.ts";
import { loadConfig } from "../../../../shared/config/read-config.ts";
import { openDataSet } from "../../../../shared/data/kinds.ts";
import { testEdges } from "../../../support/edges.ts";
import { checkpointOf, type SavedRun, saveRun, saveSnapshot } from "../../../support/processes/saved-run.ts";

let runs: string;
let saved: SavedRun;
let onnx: string;
let safetensors: string;

beforeEach(async () => {
  runs = mkdtempSync(join(tmpdir(), "unlocked-export-"));
  [onnx, safetensors] = [join(runs, "model.onnx"), join(runs, "model.safetensors")];
  const { config } = loadConfig("configs/two-rings.yaml", ["run.batchSize=8", "run.batches=10"]);
  saved = await saveRun(runs, "rings-1", config, await openDataSet(config.data), 4);
});

afterEach(() => rmSync(runs, { recursive: true, force: true }));

async function exported(...args: string[]) {
  const said = { out: "", err: "" };
  const code = await runProgram(["export", "--runs", runs, ...args], testEdges(said));
  return { code, ...said };
}

const stateOf = (layer: number) => join(runs, "rings-1", "checkpoints", `layer${layer}`);
const batchIn = (file: string) => decode(readFileSync(file)).metadata.batch;

describe("unlocked export", () => {
  it("writes both files of a run that trains, of the batch at which all its layers saved themselves", async () => {
    // Layer 1 is further than the others.
    await new CheckpointStore(stateOf(1)).write(checkpointOf(saved, 1, 6));
    const { code, out } = await exported("--onnx", onnx, "--safetensors", safetensors);
    expect(code).toBe(0);
    expect(out).toBe(
      `${onnx}: rings-1 after 4 of 10 batches\n${safetensors}: rings-1 after 4 of 10 batches\n`,
    );
    expect(batchIn(safetensors)).toBe("4");
    const session = await InferenceSession.create(onnx);
    expect([session.inputNames, session.outputNames]).toEqual([["input"], ["logits", "probabilities"]]);
  });

  it("changes nothing in the run's folder", async () => {
    const before = readdirSync(runs, { recursive: true }).sort();
    await exported("--onnx", onnx);
    expect(readdirSync(runs, { recursive: true }).sort()).toEqual([...before, "model.onnx"].sort());
  });

  it("writes the newest snapshot where that is wanted", async () => {
    const snapshot = "000000003-0123abcd";
    const digests = await saveSnapshot(saved, snapshot, 3);
    const layers = digests.map((digest, index) => ({ layer: index + 1, digest }));
    const { config, path, id: run } = saved.run;
    await writeManifest(join(path, "snapshots"), {
      ...{ run, snapshot, batch: 3, configHash: configHash(config), savedAt: "2026-11-28T12:00:00Z", layers },
    });
    expect((await exported("--snapshot", "--safetensors", safetensors)).code).toBe(0);
    expect(batchIn(safetensors)).toBe("3");
  });

  it.each<[string, () => void, readonly string[], string]>([
    [
      "no file to write",
      () => undefined,
      [],
      "Cannot export: expected --onnx, --safetensors or --tensorboard",
    ],
    [
      "no snapshot",
      () => undefined,
      ["--snapshot"],
      "Cannot open the network of rings-1: it has no whole snapshot",
    ],
    [
      "a layer without a checkpoint",
      () => rmSync(stateOf(2), { recursive: true }),
      [],
      "Cannot open the network of rings-1: its layers have saved nothing of one batch",
    ],
    [
      "a checkpoint that is cut off",
      () => truncateSync(join(stateOf(3), readdirSync(stateOf(3))[0]!), 500),
      [],
      "Cannot open the network of rings-1: its layers have saved nothing of one batch",
    ],
    [
      "a config that is none",
      () => writeFileSync(join(runs, "rings-1", "config.yaml"), "data: ["),
      [],
      "Cannot use",
    ],
    ["a run that is not there", () => undefined, ["no-such-run"], "Cannot find run no-such-run"],
    ["a folder that is no run", () => undefined, ["./configs/"], "Cannot find a run in ./configs/"],
  ])("refuses %s, and writes nothing", async (what, breaks, args, says) => {
    breaks();
    const file = what === "no file to write" ? [] : ["--safetensors", safetensors];
    const { code, out, err } = await exported(...file, ...args);
    expect([code, out]).toEqual([78, ""]);
    expect(err).toContain(says);
    expect(readdirSync(runs)).toEqual(["rings-1"]);
  });

  it("refuses a place where it cannot write", async () => {
    const { code, err } = await exported("--onnx", join(runs, "no", "model.onnx"));
    expect(code).toBe(78);
    expect(err).toContain(`Cannot write ${join(runs, "no", "model.onnx")}`);
  });

  it("says of a layer of the user's own that it cannot go into ONNX, and writes neither file; its weights can", async () => {
    const { config } = loadConfig("docs/extending/board.yaml", ["run.batchSize=8", "run.batches=10"]);
    await saveRun(runs, "board-1", config, await openDataSet(config.data), 4);
    const refused = await exported("board-1", "--onnx", onnx, "--safetensors", safetensors);
    expect(refused.code).toBe(78);
    expect(refused.err).toBe(
      "Cannot export board-1 to ONNX: layer 2 is of kind ./skip.ts, which has no onnx part\n",
    );
    expect(readdirSync(runs).sort()).toEqual(["board-1", "rings-1"]);
    expect((await exported("board-1", "--safetensors", safetensors)).code).toBe(0);
    expect(decode(readFileSync(safetensors)).shapes).toMatchObject({
      "layer1.linear.weight": [32, 2],
      "layer2.weight": [32, 32],
    });
  });
});
