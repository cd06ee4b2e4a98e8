import { expect, it } from "vitest";
import { paceOf } from "../../../services/worker/pace.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";

const start = (url: string | undefined, set: readonly string[] = []) => ({
  config: loadConfig("configs/two-rings.yaml", set).config,
  options: { state: "state", folders: [{ folder: "state", url }] },
});

it("a folder is looked at twice a second, and takes every checkpoint", () => {
  expect(paceOf(start(undefined))).toEqual({ lookMs: 500, saveMs: 0 });
});

it("a store is spared, but for the checkpoints that a pinned layer counts on", () => {
  expect(paceOf(start("s3://bucket/layer1"))).toEqual({ lookMs: 1500, saveMs: 5000 });
  const pinned = start("s3://bucket/layer1", ["delivery.schedule={staleness: 1}"]);
  expect(paceOf(pinned)).toEqual({ lookMs: 1500, saveMs: 0 });
});
