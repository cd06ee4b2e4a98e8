import { describe, expect, it } from "vitest";
import { chooseKernels, type Host } from "../../shared/math/choose-kernels.ts";
import { loadLibrary } from "../../shared/math/native/library.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { fusesProducts, relaxedKernels, wasmKernels } from "../../shared/math/wasm-kernels.ts";

const here: Host = { env: {}, platform: process.platform, arch: process.arch };
/** A machine for which nothing was compiled. */
const strange: Host = { env: {}, platform: "plan9", arch: "mips" };
const { paths, file } = loadLibrary(process);

describe("the choice of kernels", () => {
  it("is what the config asks for", () => {
    for (const name of ["wasm", "wasm-relaxed", "plain"] as const) {
      const { kernels, found } = chooseKernels(name, strange);
      expect([kernels.name, found.kernels, found.why]).toEqual([name, name, "as configured"]);
    }
    const { kernels, found } = chooseKernels("native", here);
    expect(kernels.name).toBe("native");
    expect(found).toEqual({ kernels: "native", why: "as configured", path: paths[0], library: file });
  });

  it("is native, by the best path of the processor, where it is free", () => {
    const { kernels, found } = chooseKernels("auto", here);
    expect(kernels.name).toBe("native");
    expect(found).toEqual({
      kernels: "native",
      why: "the fastest that runs here",
      path: paths[0],
      library: file,
    });
  });

  it("can be told another path of the processor, and of no other", () => {
    for (const path of paths) {
      expect(chooseKernels("native", { ...here, env: { UNLOCKED_NATIVE: path } }).found.path).toBe(path);
    }
    const other = { ...here, env: { UNLOCKED_NATIVE: "sse2" } };
    expect(() => chooseKernels("native", other)).toThrow(
      `Cannot compute natively by UNLOCKED_NATIVE=sse2: this processor runs ${paths.join(", ")}`,
    );
  });

  it("without native kernels is relaxed SIMD where it has their bits, and says why", () => {
    const { kernels, found } = chooseKernels("auto", strange);
    expect(kernels.name).toBe(fusesProducts(relaxedKernels()) ? "wasm-relaxed" : "wasm");
    expect(found.kernels).toBe(kernels.name);
    expect(found.why).toMatch(/^Cannot compute natively: there are no kernels for plan9 on mips/);
  });

  it("is an error where native kernels are asked for and are not there", () => {
    expect(() => chooseKernels("native", strange)).toThrow(
      "Cannot compute natively: there are no kernels for plan9 on mips",
    );
  });
});

describe("kernels", () => {
  it("are known by a product whether they round it and its addition once", () => {
    expect([wasmKernels(), plainKernels()].map(fusesProducts)).toEqual([false, true]);
    expect(fusesProducts(chooseKernels("native", here).kernels)).toBe(true);
  });
});
