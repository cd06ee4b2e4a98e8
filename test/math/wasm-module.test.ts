import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { relaxedKernels } from "../../shared/math/wasm-kernels.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const modules = [
  { name: "kernels.wasm", target: "release" },
  { name: "kernels-relaxed.wasm", target: "relaxed" },
];
relaxedKernels(); // Lets relaxed SIMD in.

describe.each(modules)("$name", ({ name, target }) => {
  const committed = readFileSync(join(root, "shared/math/wasm", name));

  it("is what its source compiles to", () => {
    const folder = mkdtempSync(join(tmpdir(), "kernels-"));
    try {
      const file = join(folder, "fresh.wasm");
      const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
      const settings = ["--config", "shared/math/wasm/asconfig.json", "--target", target];
      execFileSync(process.execPath, [compiler, ...settings, "-o", file], { cwd: root });
      const isFresh = readFileSync(file).equals(committed);
      expect(isFresh, "the source has changed: npm run build:wasm").toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("rounds a sum of products as its name says", () => {
    const fused = Buffer.from([0xfd, 0x85, 0x02]); // f32x4.relaxed_madd
    expect(committed.includes(fused)).toBe(target === "relaxed");
  });

  it("imports its memory and nothing else, and brings no data, table or start function", () => {
    expect([...sections(committed)].filter((id) => [4, 8, 9, 11].includes(id))).toEqual([]);
    expect(importsOf(committed)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  });
});

function importsOf(bytes: Uint8Array): unknown {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Module: { new (bytes: Uint8Array): object; imports(module: object): unknown } };
  };
  return WebAssembly.Module.imports(new WebAssembly.Module(bytes));
}

/** The ids of a module's sections: a number of one byte and a length in LEB128 stand before each. */
function* sections(bytes: Uint8Array): Generator<number> {
  let at = 8;
  while (at < bytes.length) {
    yield bytes[at++]!;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      length += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += length;
  }
}
