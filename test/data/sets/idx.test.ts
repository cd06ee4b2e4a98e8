import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readBytes } from "../../../shared/data/data-file.ts";
import { parseIdx } from "../../../shared/data/idx-files.ts";

/** An IDX file written by hand from the format's description. */
function idxFile(sizes: number[], values: number[]): Uint8Array {
  const header = [0, 0, 8, sizes.length, ...sizes.flatMap((size) => [0, 0, size >> 8, size & 255])];
  return Uint8Array.from([...header, ...values]);
}

describe("a file of data", () => {
  it("that is a pipe is refused: nobody may ever write into it", () => {
    const folder = mkdtempSync(join(tmpdir(), "unlocked-pipe-"));
    try {
      const pipe = join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      const read = `import { readBytes } from "./shared/data/data-file.ts";
        try { readBytes(${JSON.stringify(pipe)}) } catch (error) { console.log(error.name, error.message) }`;
      // In a process of its own, since one that waits for the pipe hears of no time limit.
      const args = ["--import", "tsx", "--input-type=module", "--eval", read];
      const found = execFileSync(process.execPath, args, { timeout: 20_000, encoding: "utf8" });
      expect(found.trim()).toBe(`DataFileError Cannot read ${pipe}: it is no regular file`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("an IDX file", () => {
  it("gives its sizes and its bytes", () => {
    const idx = parseIdx("some/file", idxFile([2, 1, 3], [1, 2, 3, 4, 5, 255]), 3);
    expect(idx.shape).toEqual([2, 1, 3]);
    expect([...idx.values]).toEqual([1, 2, 3, 4, 5, 255]);
  });

  it("reads a size above 255 as big-endian", () => {
    expect(parseIdx("f", idxFile([300], new Array(300).fill(7)), 1).shape).toEqual([300]);
  });

  it("is found although it is a view into a larger buffer", () => {
    const larger = Uint8Array.from([9, 9, 9, ...idxFile([2], [5, 6])]);
    expect([...parseIdx("f", larger.subarray(3), 1).values]).toEqual([5, 6]);
  });

  it.each([
    ["is a byte short", idxFile([2, 2], [1, 2, 3]), "Cannot read d/f: 15 bytes, the header promises 16"],
    ["is a byte long", idxFile([2, 2], [1, 2, 3, 4, 5]), "Cannot read d/f: 17 bytes, the header promises 16"],
    [
      "breaks off in its header",
      idxFile([2, 2], []).subarray(0, 9),
      "Cannot read d/f: 9 bytes, its header alone has 12",
    ],
    ["is empty", new Uint8Array(0), "Cannot read d/f: 0 bytes, too short for an IDX file"],
    [
      "has other dimensions",
      idxFile([2], [1, 2]),
      "Cannot read d/f: the magic number is 0x00000801, expected 0x00000802 (unsigned bytes, 2 dimensions)",
    ],
  ])("is refused when it %s", (_, bytes, message) => {
    expect(() => parseIdx("d/f", bytes, 2)).toThrow(message);
  });

  it("is named when it is missing", () => {
    expect(() => readBytes("nowhere/train-images-idx3-ubyte")).toThrow(
      "Cannot read nowhere/train-images-idx3-ubyte: no such file",
    );
  });

  it("is unpacked where it is packed, under its own name or with .gz", () => {
    const folder = mkdtempSync(join(tmpdir(), "unlocked-idx-"));
    try {
      const plain = idxFile([2, 2], [1, 2, 3, 4]);
      writeFileSync(join(folder, "a.gz"), gzipSync(plain));
      writeFileSync(join(folder, "b"), gzipSync(plain));
      for (const name of ["a", "b"])
        expect(Array.from(readBytes(join(folder, name)))).toEqual(Array.from(plain));
      const cut = gzipSync(plain).subarray(0, 12);
      writeFileSync(join(folder, "c.gz"), cut);
      expect(() => readBytes(join(folder, "c"))).toThrow(`Cannot unpack ${join(folder, "c")}: `);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
