import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadLibrary } from "../../../shared/math/native/library.ts";
import { wantsOf } from "./elf.ts";

const root = fileURLToPath(new URL("../../../shared/math/native/", import.meta.url));
const prebuilt = join(root, "prebuilt");
const files = ["darwin-arm64.dylib", "darwin-x64.dylib", "linux-arm64.so", "linux-x64.so", "win32-x64.dll"];
const compiles = spawnSync("clang-19", ["--version"]).status === 0;
if (!compiles) console.log("Skipped is the rebuild of the native kernels: there is no clang-19");

describe("the native libraries", () => {
  it("are there for all platforms, and each has at most 150 kB", () => {
    expect(readdirSync(prebuilt).toSorted()).toEqual(files);
    for (const file of files) expect(readFileSync(join(prebuilt, file)).length, file).toBeLessThan(150_000);
  });

  it.skipIf(!compiles)("are what their source compiles to, byte for byte", () => {
    const folder = mkdtempSync(join(tmpdir(), "native-"));
    try {
      execFileSync(join(root, "build"), [folder], { stdio: "pipe" });
      for (const file of files) {
        const isFresh = readFileSync(join(folder, file)).equals(readFileSync(join(prebuilt, file)));
        expect(isFresh, `the source of ${file} has changed: npm run build:native`).toBe(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ["linux-x64.so", ["avx2", "avx512"]],
    ["linux-arm64.so", ["neon"]],
  ])("of Linux ask nothing of the system, and bring every path: %s", (file, paths) => {
    const wants = wantsOf(readFileSync(join(prebuilt, file)));
    expect(wants).toMatchObject({ needed: 0, undefinedSymbols: [], executableStack: false });
    for (const path of paths)
      expect(wants.exports).toEqual(expect.arrayContaining([`${path}_multiply`, `${path}_adam`]));
    expect(wants.exports).toContain("processor");
  });

  it("would be seen to ask for something: a library, a stack that runs, a symbol", () => {
    const file = readFileSync(join(prebuilt, "linux-x64.so"));
    const changed = (at: number, ...bytes: number[]) => {
      const copy = Buffer.from(file);
      copy.set(bytes, at);
      return wantsOf(copy);
    };
    // An entry of flags (tag 30, value 8) becomes one of a library.
    const flags = file.indexOf(Buffer.from([30, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]));
    expect(changed(flags, 1).needed).toBe(1);
    const stack = file.indexOf(Buffer.from([0x51, 0xe5, 0x74, 0x64]));
    expect(changed(stack + 4, 7).executableStack).toBe(true);
    // Where the section of a symbol is: zeros there make it one that nobody defines.
    const behindHeaders = 1024;
    const symbol = Array.from({ length: 400 }, (_, i) => behindHeaders + 8 * i).find(
      (at) => changed(at + 6, 0, 0).undefinedSymbols.length > 0,
    )!;
    expect(changed(symbol + 6, 0, 0).undefinedSymbols).toEqual([expect.stringMatching(/^(avx|processor)/)]);
  });

  it("say for what they are not there", () => {
    expect(() => loadLibrary({ platform: "sunos", arch: "x64" })).toThrow(
      "there are no kernels for sunos on x64",
    );
  });
});
