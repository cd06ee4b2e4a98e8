import { describe, expect, it, vi } from "vitest";
import { loadLibrary, type Path } from "../../shared/math/native/library.ts";
import { fusesProducts, relaxedKernels } from "../../shared/math/wasm-kernels.ts";
import { BATCHES } from "../support/both-outcomes.ts";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { DirectRun } from "../support/processes/direct-run.ts";

const CONFIG = "configs/mnist.yaml";
const SET = [`run.batches=${BATCHES}`, "delivery.schedule={staleness: 4}"];

const { paths } = loadLibrary(process);
const [best, least] = [paths[0]!, paths.at(-1)!];
/** Which path, where not the best; which kernels, where not what the config says. */
const OTHERWISE: Readonly<Record<string, { path?: Path; kernels?: string }>> = {
  layer2: { path: least },
  layer3: { kernels: fusesProducts(relaxedKernels()) ? "wasm-relaxed" : "native" },
};

describe(`a pinned run whose layers compute by ${best}, ${least}, relaxed SIMD and ${best}`, () => {
  it("comes out as in one process, bit for bit; one whose layer does not fuse products does not", async () => {
    const found = await outcome(OTHERWISE);
    const expected = await chainOutcome(CONFIG, [...SET, "compute.kernels=native"]);
    expect(found).toEqual(expected);
    const other = await outcome({ ...OTHERWISE, layer3: { kernels: "wasm" } });
    expect(other.digests).not.toEqual(expected.digests);
  });

  async function outcome(otherwise: typeof OTHERWISE) {
    const run = new DirectRun(CONFIG, 4, SET);
    try {
      for (const name of ["layer4", "layer3", "layer2", "layer1", "source"])
        await start(run, name, otherwise[name] ?? {});
      return runOutcome(await run.summary());
    } finally {
      await run.close();
    }
  }
});

async function start(run: DirectRun, name: string, { path = best, kernels = "native" }): Promise<void> {
  vi.stubEnv("UNLOCKED_NATIVE", path);
  const worker = await run.start(name, { set: [...SET, `compute.kernels=${kernels}`] });
  vi.unstubAllEnvs();
  if (name === "source") return;
  const found = await worker.says("chose kernels");
  expect(found).toMatchObject(kernels === "native" ? { kernels, path } : { kernels });
}
