// Matrix products, blocked for the caches after Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008): a panel of b stays in the second-level cache, a strip of it and four rows of a in the first.
import { copyEights, copyFours, packLines } from "./pack";
import { FLOAT } from "./lanes";
import { tile1, tile2, tile4, wideTile1, wideTile2 } from "./tile";

/** Steps of the inner dimension in a block: a strip of b is 8 KiB, four rows of a 4 KiB. */
const INNER: usize = 256;
/** Columns of b in a panel of 256 KiB. */
const PANEL: usize = 256;
/** Bytes of four packed rows of a, which lie in front of the packed panel. */
const ROWS_BYTES: usize = (INNER * 4) << FLOAT;
/** With fewer rows than this, packing b costs more than reading it where it lies. */
const WORTH_PACKING: usize = 32;

/** Floats that `multiply` needs at `scratch`; other kernels need less. */
export const scratchLength: usize = INNER * 4 + INNER * PANEL;

/**
 * c (rows × columns) = op(a) · op(b), or c += with `accumulate`. All are row-major without gaps. Sums over more than
 * a block of the inner dimension are sums of the blocks' sums, which also keeps rounding small.
 */
export function multiply(
  a: usize,
  b: usize,
  c: usize,
  rows: usize,
  inner: usize,
  columns: usize,
  transposeA: bool,
  transposeB: bool,
  accumulate: bool,
  scratch: usize,
): void {
  if (inner === 0 && !accumulate) memory.fill(c, 0, (rows * columns) << FLOAT);
  const aStride = (transposeA ? rows : inner) << FLOAT;
  const bStride = (transposeB ? inner : columns) << FLOAT;
  const packed = scratch + ROWS_BYTES;
  for (let k: usize = 0; k < inner; k += INNER) {
    const depth = min(INNER, inner - k);
    const aBlock = transposeA ? a + k * aStride : a + (k << FLOAT);
    const add = accumulate || k > 0;
    for (let column: usize = 0; column < columns; column += PANEL) {
      const width = min(PANEL, columns - column);
      const bBlock = transposeB ? b + column * bStride + (k << FLOAT) : b + k * bStride + (column << FLOAT);
      const cBlock = c + (column << FLOAT);
      const packs = transposeB || rows >= WORTH_PACKING;
      if (packs) packPanel(bBlock, bStride, transposeB, packed, width, depth);
      multiplyPanel(
        aBlock, aStride, transposeA,
        packs ? packed : bBlock, packs ? 32 : bStride, packs ? depth << 5 : 32,
        cBlock, columns << FLOAT, rows, depth, width, add, scratch,
      );
    }
  }
}

/** Packs strips of eight columns of b, one behind the other. */
function packPanel(
  b: usize,
  bStride: usize,
  transposed: bool,
  packed: usize,
  width: usize,
  depth: usize,
): void {
  for (let column: usize = 0; column < width; column += 8) {
    if (transposed) packLines(b + column * bStride, bStride, packed, 32, min(8, width - column), depth);
    else copyEights(b + (column << FLOAT), bStride, packed, depth);
    packed += depth << 5;
  }
}

/** All rows of a block of a times a panel of b, whose strips lie `stripStride` bytes apart. */
@inline
function multiplyPanel(
  a: usize,
  aStride: usize,
  transposeA: bool,
  b: usize,
  bStride: usize,
  stripStride: usize,
  c: usize,
  cStride: usize,
  rows: usize,
  depth: usize,
  width: usize,
  add: bool,
  scratch: usize,
): void {
  for (let row: usize = 0; row < rows; row += 4) {
    const count = min(4, rows - row);
    if (transposeA) copyFours(a + (row << FLOAT), aStride, scratch, depth);
    else packLines(a + row * aStride, aStride, scratch, 16, count, depth);
    multiplyRows(scratch, b, bStride, stripStride, c + row * cStride, cStride, count, depth, width, add);
  }
}

/** Up to four packed rows of a times a panel of b. */
@inline
function multiplyRows(
  a: usize,
  b: usize,
  bStride: usize,
  stripStride: usize,
  c: usize,
  cStride: usize,
  count: usize,
  depth: usize,
  width: usize,
  add: bool,
): void {
  if (count < 4) {
    multiplyFewRows(a, b, bStride, stripStride, c, cStride, count, depth, width, add);
    return;
  }
  for (let column: usize = 0; column < width; column += 8) {
    tile4(a, b, bStride, depth, c, cStride, min(8, width - column), add);
    b += stripStride;
    c += 32;
  }
}

/** One to three of them: twice as many columns at a time. */
function multiplyFewRows(
  a: usize,
  b: usize,
  bStride: usize,
  stripStride: usize,
  c: usize,
  cStride: usize,
  count: usize,
  depth: usize,
  width: usize,
  add: bool,
): void {
  const last = count - 1;
  const aLast = a + (last << FLOAT);
  const cLast = c + last * cStride;
  let column: usize = 0;
  for (; column + 8 < width; column += 16) {
    const at = column << FLOAT;
    const tileWidth = min(16, width - column);
    if (count > 1) wideTile2(a, b, bStride, stripStride, depth, c + at, cStride, tileWidth, add);
    if (count !== 2) wideTile1(aLast, b, bStride, stripStride, depth, cLast + at, tileWidth, add);
    b += 2 * stripStride;
  }
  if (column < width) {
    const at = column << FLOAT;
    if (count > 1) tile2(a, b, bStride, depth, c + at, cStride, width - column, add);
    if (count !== 2) tile1(aLast, b, bStride, depth, cLast + at, width - column, add);
  }
}
