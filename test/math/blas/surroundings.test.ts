import { describe, expect, it } from "vitest";
import { coreTypeFor, librariesOf, prepareEnvironment } from "../../../shared/math/blas/surroundings.ts";

const avx2 = "fpu sse sse2 avx fma avx2 bmi2";
const avx512 = `${avx2} avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16`;

describe("what a BLAS is loaded into", () => {
  it.each([
    [avx512, "SkylakeX"],
    [avx512.replace(" avx512vl", ""), "Haswell"],
    [avx2, "Haswell"],
    [avx2.replace(" fma", ""), undefined],
    ["fp asimd sve", undefined],
    ["", undefined],
  ])("a processor with %s has kernels %s", (flags, core) => {
    expect(coreTypeFor(flags)).toBe(core);
  });

  it("gets one thread and the core type, unless somebody has said otherwise", () => {
    const untouched = {};
    prepareEnvironment(untouched, avx2);
    expect(untouched).toEqual({
      OPENBLAS_NUM_THREADS: "1",
      VECLIB_MAXIMUM_THREADS: "1",
      OPENBLAS_CORETYPE: "Haswell",
    });
    const said = { OPENBLAS_NUM_THREADS: "2", OPENBLAS_CORETYPE: "", VECLIB_MAXIMUM_THREADS: "3" };
    const before = { ...said };
    prepareEnvironment(said, avx512);
    expect(said).toEqual(before);
  });

  it("is looked for where the platform keeps it, or only where UNLOCKED_BLAS says", () => {
    expect(librariesOf("linux", {})[0]).toBe("libopenblas.so.0");
    expect(librariesOf("darwin", {})[0]).toContain("Accelerate");
    expect(librariesOf("plan9", {})).toEqual([]);
    expect(librariesOf("linux", { UNLOCKED_BLAS: "/opt/mine.so" })).toEqual(["/opt/mine.so"]);
  });
});
