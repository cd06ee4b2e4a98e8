// Tiles: 4, 2 or 1 rows by 8 columns of a product, or 2 or 1 by 16, whose sums stay in registers while the inner
// dimension passes.
//
// Eight accumulators, two vectors of b and one broadcast float of a fill the sixteen vector registers of x86-64;
// larger tiles spill, and unrolling the loop made V8 slower, which itself unrolls it; `a` counts its steps, as a counter
// of its own would be one register too many. Every element is summed in the same order in each tile, so a row's product
// has the same bits whichever tile computes it.
//
// `a` holds four floats (one of each row) for each step of the inner dimension, `b` eight floats every `bStride` bytes.
import { VECTOR, addProduct, putFirst } from "./lanes";

/** c (4 × width) = or += a · b. */
@inline
export function tile4(
  a: usize,
  b: usize,
  bStride: usize,
  inner: usize,
  c: usize,
  cStride: usize,
  width: usize,
  add: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  for (const end = a + (inner << 4); a !== end; a += VECTOR) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, VECTOR);
    const a0 = v128.load32_splat(a);
    c00 = addProduct(c00, a0, b0);
    c01 = addProduct(c01, a0, b1);
    const a1 = v128.load32_splat(a, 4);
    c10 = addProduct(c10, a1, b0);
    c11 = addProduct(c11, a1, b1);
    const a2 = v128.load32_splat(a, 8);
    c20 = addProduct(c20, a2, b0);
    c21 = addProduct(c21, a2, b1);
    const a3 = v128.load32_splat(a, 12);
    c30 = addProduct(c30, a3, b0);
    c31 = addProduct(c31, a3, b1);
    b += bStride;
  }
  const second = c + cStride;
  const third = second + cStride;
  const fourth = third + cStride;
  // Asked once, not four times: where the inner dimension is small, a good part of the time.
  if (width === 8 && !add) {
    v128.store(c, c00);
    v128.store(c, c01, VECTOR);
    v128.store(second, c10);
    v128.store(second, c11, VECTOR);
    v128.store(third, c20);
    v128.store(third, c21, VECTOR);
    v128.store(fourth, c30);
    v128.store(fourth, c31, VECTOR);
    return;
  }
  storeRow(c, c00, c01, width, add);
  storeRow(second, c10, c11, width, add);
  storeRow(third, c20, c21, width, add);
  storeRow(fourth, c30, c31, width, add);
}

/** c (2 × width) = or += a · b. */
@inline
export function tile2(
  a: usize,
  b: usize,
  bStride: usize,
  inner: usize,
  c: usize,
  cStride: usize,
  width: usize,
  add: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  for (const end = a + (inner << 4); a !== end; a += VECTOR) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, VECTOR);
    const a0 = v128.load32_splat(a);
    c00 = addProduct(c00, a0, b0);
    c01 = addProduct(c01, a0, b1);
    const a1 = v128.load32_splat(a, 4);
    c10 = addProduct(c10, a1, b0);
    c11 = addProduct(c11, a1, b1);
    b += bStride;
  }
  storeRow(c, c00, c01, width, add);
  storeRow(c + cStride, c10, c11, width, add);
}

/**
 * c (2 × width) = or += a · b, over two strips of b that lie `strip` bytes apart; the width is 9 to 16. With fewer sums at
 * a time each addition would wait for the last.
 */
@inline
export function wideTile2(
  a: usize,
  b: usize,
  bStride: usize,
  strip: usize,
  inner: usize,
  c: usize,
  cStride: usize,
  width: usize,
  add: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c02 = f32x4.splat(0);
  let c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c12 = f32x4.splat(0);
  let c13 = f32x4.splat(0);
  for (const end = a + (inner << 4); a !== end; a += VECTOR) {
    const a0 = v128.load32_splat(a);
    const a1 = v128.load32_splat(a, 4);
    const b0 = v128.load(b);
    c00 = addProduct(c00, a0, b0);
    c10 = addProduct(c10, a1, b0);
    const b1 = v128.load(b, VECTOR);
    c01 = addProduct(c01, a0, b1);
    c11 = addProduct(c11, a1, b1);
    const b2 = v128.load(b + strip);
    c02 = addProduct(c02, a0, b2);
    c12 = addProduct(c12, a1, b2);
    const b3 = v128.load(b + strip, VECTOR);
    c03 = addProduct(c03, a0, b3);
    c13 = addProduct(c13, a1, b3);
    b += bStride;
  }
  storeRow(c, c00, c01, 8, add);
  storeRow(c + 32, c02, c03, width - 8, add);
  c += cStride;
  storeRow(c, c10, c11, 8, add);
  storeRow(c + 32, c12, c13, width - 8, add);
}

/** c (1 × width) = or += a · b. */
@inline
export function tile1(
  a: usize,
  b: usize,
  bStride: usize,
  inner: usize,
  c: usize,
  width: usize,
  add: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  for (const end = a + (inner << 4); a !== end; a += VECTOR) {
    const a0 = v128.load32_splat(a);
    c00 = addProduct(c00, a0, v128.load(b));
    c01 = addProduct(c01, a0, v128.load(b, VECTOR));
    b += bStride;
  }
  storeRow(c, c00, c01, width, add);
}

/** c (1 × width) = or += a · b, as wideTile2. */
@inline
export function wideTile1(
  a: usize,
  b: usize,
  bStride: usize,
  strip: usize,
  inner: usize,
  c: usize,
  width: usize,
  add: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c02 = f32x4.splat(0);
  let c03 = f32x4.splat(0);
  for (const end = a + (inner << 4); a !== end; a += VECTOR) {
    const a0 = v128.load32_splat(a);
    c00 = addProduct(c00, a0, v128.load(b));
    c01 = addProduct(c01, a0, v128.load(b, VECTOR));
    c02 = addProduct(c02, a0, v128.load(b + strip));
    c03 = addProduct(c03, a0, v128.load(b + strip, VECTOR));
    b += bStride;
  }
  storeRow(c, c00, c01, 8, add);
  storeRow(c + 32, c02, c03, width - 8, add);
}

/** Writes the first `width` of eight sums, 1 to 8. */
@inline
function storeRow(c: usize, low: v128, high: v128, width: usize, add: bool): void {
  if (add) {
    // What is loaded behind the width is not stored.
    low = f32x4.add(v128.load(c), low);
    high = f32x4.add(v128.load(c, VECTOR), high);
  }
  if (width === 8) {
    v128.store(c, low);
    v128.store(c, high, VECTOR);
  } else if (width >= 4) {
    v128.store(c, low);
    if (width > 4) putFirst(c + VECTOR, high, <i32>width - 4);
  } else {
    putFirst(c, low, <i32>width);
  }
}
