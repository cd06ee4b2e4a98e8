import { createRequire } from "node:module";
import type Koffi from "koffi";
import { answer } from "./answer.ts";
import type { Multiplication } from "./work.ts";

// Times OpenBLAS for candidates.ts.
const [ROW_MAJOR, AS_IT_LIES, TRANSPOSED] = [101, 111, 112];

const koffi: typeof Koffi = createRequire(import.meta.url)("koffi");
const library = koffi.load("libopenblas.so.0");
const matrix = ["uintptr_t", "int"];
const numbers = [...Array(6).fill("int"), "float", ...matrix, ...matrix, "float", ...matrix];
const sgemm = library.func("cblas_sgemm", "void", numbers);

function prepare({ rows, inner, columns, transposeA, transposeB }: Multiplication): () => void {
  // On cache lines of their own, as ours are.
  const starts = [rows * inner, inner * columns, rows * columns].map((length) => {
    const floats = new Float32Array(length + 16).map(() => (Math.random() - 0.5) / 8);
    kept.push(floats);
    return Math.ceil(Number(koffi.address(floats)) / 64) * 64;
  });
  const [ta, tb] = [transposeA, transposeB].map((is) => (is ? TRANSPOSED : AS_IT_LIES));
  const [lda, ldb] = [transposeA ? rows : inner, transposeB ? inner : columns];
  const [a, b, c] = starts;
  return () => sgemm(ROW_MAJOR, ta, tb, rows, columns, inner, 1, a, lda, b, ldb, 0, c, columns);
}

/** Else their memory would be someone else's. */
const kept: Float32Array[] = [];

await answer(`OpenBLAS ${library.func("openblas_get_corename", "str", [])()}`, prepare);
