import { afterEach, describe, expect, it, vi } from "vitest";
import { loadLibrary } from "../../../shared/math/native/library.ts";
import { fusesProducts, relaxedKernels } from "../../../shared/math/wasm-kernels.ts";
import { chainOutcome } from "../../support/chain.ts";

/** What this run's layers come to, by every path on every processor. */
const DIGESTS = [
  "2824b0b24c871c812646e21638bf8bfb4765698ffb825653126441ea3413fd02",
  "3df342213637ea706616c1b4765700ec2abd8d9d9bbf5d41836a8a532a7da801",
  "a3912f78fe7414d026ba7b712b0e07ea6b73d30f48fb83a8c406dce0454d3b02",
];
const CONFIG = "configs/binary-addition.yaml";
const SET = ["run.batches=200", "delivery.schedule={staleness: 4}"];

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a pinned run", () => {
  it.each(loadLibrary(process).paths)("comes to the weights of every processor by %s", async (path) => {
    vi.stubEnv("UNLOCKED_NATIVE", path);
    const { digests } = await chainOutcome(CONFIG, [...SET, "compute.kernels=native"]);
    expect(digests).toEqual(DIGESTS);
  });

  it.skipIf(!fusesProducts(relaxedKernels()))("comes to them by relaxed SIMD", async () => {
    const { digests } = await chainOutcome(CONFIG, [...SET, "compute.kernels=wasm-relaxed"]);
    expect(digests).toEqual(DIGESTS);
  });

  it("comes to others where products are not fused", async () => {
    const { digests } = await chainOutcome(CONFIG, [...SET, "compute.kernels=wasm"]);
    expect(digests).not.toEqual(DIGESTS);
  });
});
