import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, describe, expect, it } from "vitest";
import { type LayerEnvironment, type LayerOptions, startUp } from "../../../services/layer/startup.ts";
import { realEnvironment } from "../../../services/worker/environment.ts";
import { weightsDigest } from "../../../shared/checkpoint/digest.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { seeded } from "../../support/seeded.ts";

const { config } = loadConfig("configs/two-rings.yaml", []);
const folder = mkdtempSync(join(tmpdir(), "damaged-"));
afterAll(() => rmSync(folder, { recursive: true }));

const options = { layer: 2, run: "a-run", state: folder } as LayerOptions;
const environment: LayerEnvironment = {
  ...realEnvironment(
    { secret: undefined, tls: undefined },
    { rssBytes: () => 0, nodeVersion: "", cpuUsage: process.cpuUsage },
  ),
  kernels: plainKernels(),
  log: () => pino({ level: "silent" }),
  tell: async () => {},
  pid: 1,
};

/** What a layer's folder holds after two checkpoints: the older with some weights, the newer with others. */
async function twoCheckpoints() {
  const { work, lineage } = await startUp({ config, options, environment }, 0);
  lineage.applied(0);
  await lineage.save();
  const older = weightsDigest(work.state().tensors);
  for (const tensor of Object.values(work.state().tensors)) tensor[0] = 0.5;
  lineage.applied(1);
  await lineage.save();
  const names = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
  const files = new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
  return { older, newer: weightsDigest(work.state().tensors), files, newest: names.sort().at(-1)! };
}

/** 300 ways, by seed, to damage these bytes; each differs from what was there. */
function damages(bytes: Buffer): { readonly how: string; readonly damaged: Buffer }[] {
  const random = seeded(4);
  const place = () => Math.floor(random() * bytes.length);
  return Array.from({ length: 300 }, (_, index) => {
    const damaged = Buffer.from(bytes);
    const at = place();
    switch (index % 5) {
      case 0:
        damaged[at]! ^= 1 << Math.floor(random() * 8);
        return { how: `bit flipped at ${at}`, damaged };
      case 1:
        return { how: `cut at ${at}`, damaged: damaged.subarray(0, at) };
      case 2: {
        const from = Math.min(at, bytes.length - 64);
        damaged.fill(damaged.subarray(from, from + 64).every((byte) => byte === 0) ? 1 : 0, from, from + 64);
        return { how: `64 bytes wiped at ${from}`, damaged };
      }
      case 3:
        return {
          how: `longer by ${1 + (at % 4096)}`,
          damaged: Buffer.concat([damaged, Buffer.alloc(1 + (at % 4096))]),
        };
      default:
        return { how: `${at} bytes of zeros`, damaged: Buffer.alloc(at) };
    }
  });
}

describe("a layer that starts over 300 damaged checkpoints", async () => {
  const { older, newer, files, newest } = await twoCheckpoints();

  function restore(changes: ReadonlyMap<string, Buffer> = new Map()): void {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    for (const [name, bytes] of files) writeFileSync(join(folder, name), changes.get(name) ?? bytes);
  }

  it("takes an undamaged one: the control", async () => {
    restore();
    const { work, lineage } = await startUp({ config, options, environment }, 0);
    expect([lineage.cursor, weightsDigest(work.state().tensors)]).toEqual([1, newer]);
    expect(newer).not.toBe(older);
  });

  it("loads none of them, but the one before", async () => {
    for (const { how, damaged } of damages(files.get(newest)!)) {
      restore(new Map([[newest, damaged]]));
      const { work, lineage } = await startUp({ config, options, environment }, 0);
      expect([lineage.cursor, weightsDigest(work.state().tensors)], how).toEqual([0, older]);
      expect(readdirSync(folder), how).toContain(`${newest}.corrupt`);
    }
  });

  it("refuses to start where all are damaged, of another run or of another config", async () => {
    for (const { how, damaged } of damages(files.get(newest)!).slice(0, 50)) {
      restore(new Map([...files.keys()].map((name) => [name, damaged])));
      await expect(startUp({ config, options, environment }, 0), how).rejects.toThrow("none valid");
    }
    restore();
    await expect(
      startUp({ config, options: { ...options, run: "another" }, environment }, 0),
    ).rejects.toThrow("run");
    const other = loadConfig("configs/two-rings.yaml", ["seed=9"]).config;
    await expect(startUp({ config: other, options, environment }, 0)).rejects.toThrow("config");
  });
});
