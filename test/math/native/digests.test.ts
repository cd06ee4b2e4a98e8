import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { loadLibrary } from "../../../shared/math/native/library.ts";

/** What every path makes of 2,000 shapes by every kernel. Kernels that are added, or another order of summation, change it. */
const DIGEST = "65df515799117749";
const SHAPES = "2000";

const prebuilt = fileURLToPath(new URL("../../../shared/math/native/prebuilt/", import.meta.url));
const source = fileURLToPath(new URL("./digests.c", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "digests-"));
afterAll(() => rmSync(folder, { recursive: true }));

const has = (...command: string[]) => spawnSync(command[0]!, ["--version"]).status === 0;
const canRun = process.platform === "linux" && has("gcc");
const canEmulate = canRun && has("aarch64-linux-gnu-gcc") && has("qemu-aarch64");
if (!canEmulate) console.log("Skipped is NEON: there is no qemu-aarch64, or no compiler for it");

function compiled(compiler: string): string {
  const program = join(folder, compiler);
  execFileSync(compiler, ["-O1", "-Wall", "-Werror", "-o", program, source, "-ldl"]);
  return program;
}

/** Of every array that comes out, each between pages that nobody may touch: who reads or writes there is killed. */
function digestOf(command: readonly string[], file: string, path: string): string {
  const [program, ...flags] = command;
  return execFileSync(program!, [...flags, join(prebuilt, file), path, SHAPES], { encoding: "utf8" }).trim();
}

describe(`${SHAPES} shapes by every kernel, within guarded pages, have the digest of all processors`, () => {
  it.skipIf(!canRun).each(canRun ? loadLibrary(process).paths : [])("%s", (path) => {
    const { file } = loadLibrary(process);
    expect(digestOf([compiled("gcc")], file, path)).toBe(DIGEST);
  });

  it.skipIf(!canEmulate)("neon, emulated", () => {
    const emulator = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", compiled("aarch64-linux-gnu-gcc")];
    expect(digestOf(emulator, "linux-arm64.so", "neon")).toBe(DIGEST);
  });
});
