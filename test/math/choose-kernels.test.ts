import { describe, expect, it } from "vitest";
import { chooseKernels, type Host } from "../../shared/math/choose-kernels.ts";
import { plainKernels } from "../../shared/math/plain-kernels.ts";
import { tryOut } from "../../shared/math/try-out.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { blas } from "../support/blas.ts";

/** A machine whose only BLAS is this file. */
function hostWith(library: string): Host {
  return { env: { UNLOCKED_BLAS: library }, platform: "linux", now: () => performance.now() };
}

describe("the choice of kernels", () => {
  it("is what the config asks for", () => {
    for (const name of ["wasm", "wasm-relaxed", "plain"] as const) {
      const { kernels, found } = chooseKernels(name, hostWith("/nowhere/libblas.so"));
      expect([kernels.name, found.kernels, found.why]).toEqual([name, name, "as configured"]);
    }
  });

  it.each(["/nowhere/libblas.so", process.execPath])(
    "without BLAS (%s) is WebAssembly, and says why",
    (file) => {
      const { kernels, found } = chooseKernels("auto", hostWith(file));
      expect(kernels.name).toBe("wasm");
      expect(found.kernels).toBe("wasm");
      expect(found.why).toContain(file);
    },
  );

  it("is an error where BLAS is asked for and is not there", () => {
    expect(() => chooseKernels("blas", hostWith("/nowhere/libblas.so"))).toThrow(
      /^Cannot compute with BLAS: tried \/nowhere\/libblas\.so \(.+\); install OpenBLAS, or set UNLOCKED_BLAS/,
    );
    expect(() => chooseKernels("blas", { ...hostWith(""), platform: "plan9" })).toThrow("plan9 is not known");
  });
});

describe("a BLAS that is there", () => {
  it("is not trusted when its product is wrong", () => {
    const broken = { library: "libbroken.so", core: "unknown", sgemm: () => {}, addressOf: () => 0 };
    const load = () => broken;
    const { kernels, found } = chooseKernels("auto", hostWith(""), load);
    expect(kernels.name).toBe("wasm");
    expect(found.why).toMatch(/a product of libbroken.so \(unknown\) is wrong by .+ of Σ\|a\|\|b\|$/);
    expect(() => chooseKernels("blas", hostWith(""), load)).toThrow("is wrong by");
  });

  it.skipIf(!blas)("is taken if it is faster, or if it is asked for", () => {
    let now = 0;
    const taking = (ms: number) => () => {
      const sgemm = (...parameters: number[]) => {
        now += ms;
        blas!.sgemm(...parameters);
      };
      return { ...blas!, sgemm };
    };
    // Each look at the clock takes 1 ms too.
    const host = { ...hostWith(""), now: () => now++ };
    expect(chooseKernels("auto", host, taking(-0.5)).kernels.name).toBe("blas");
    expect(chooseKernels("auto", host, taking(0.5)).kernels.name).toBe("wasm");
    const { kernels, found } = chooseKernels("blas", host, taking(0.5));
    expect(kernels.name).toBe("blas");
    expect(found).toEqual({
      kernels: "blas",
      why: "as configured",
      library: blas!.library,
      core: blas!.core,
      blasMs: 1.5,
      wasmMs: 1,
    });
  });
});

describe("a trial", () => {
  const proven = wasmKernels();

  it("sees no error between right kernels, and one of a single element", () => {
    expect(tryOut(plainKernels(), proven, () => 0).error).toBeLessThan(1e-6);
    const wrong = { ...plainKernels() };
    wrong.multiply = (a, b, c, shape, options) => {
      plainKernels().multiply(a, b, c, shape, options);
      c[c.length - 1]! += 0.1;
    };
    expect(tryOut(wrong, proven, () => 0).error).toBeGreaterThan(1e-5);
    wrong.multiply = (_a, _b, c) => {
      c.fill(Number.NaN);
    };
    expect(tryOut(wrong, proven, () => 0).error).toBeNaN();
  });

  it("takes the shortest of several times, whatever else the machine does", () => {
    let now = 0;
    const taking = (...ms: number[]) => {
      let products = 0;
      const multiply = () => {
        now += ms[products++ % ms.length]!;
      };
      return { ...proven, multiply };
    };
    const { candidateMs, provenMs } = tryOut(taking(50, 50, 3), taking(90, 2, 90, 90), () => now);
    expect([candidateMs, provenMs]).toEqual([3, 2]);
  });
});
