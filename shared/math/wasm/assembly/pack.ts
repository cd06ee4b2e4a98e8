// Packing: rewriting a block of a matrix in the order in which the tiles read it, so that their inner loop walks
// memory straight ahead, whatever the transposition and however long the rows. See multiply.ts for the block sizes.
import { FLOAT, VECTOR } from "./lanes";

/**
 * Packs `lines` × `inner` floats as `inner` groups of `group` (4 or 8), one float of each line a group; lines of the
 * source are `lineStride` bytes apart, their floats lie side by side. Lanes without a line are left as they were:
 * the tiles compute with them and store nothing.
 */
@inline
export function packLines(
  source: usize,
  lineStride: usize,
  packed: usize,
  groupBytes: usize,
  lines: usize,
  inner: usize,
): void {
  let line: usize = 0;
  for (; line + 4 <= lines; line += 4) {
    packFourLines(source + line * lineStride, lineStride, packed + (line << FLOAT), groupBytes, inner);
  }
  for (; line < lines; line++) {
    packOneLine(source + line * lineStride, packed + (line << FLOAT), groupBytes, inner);
  }
}

/** Transposes four by four. */
function packFourLines(
  source: usize,
  lineStride: usize,
  packed: usize,
  groupBytes: usize,
  inner: usize,
): void {
  const end = source + ((inner & ~3) << FLOAT);
  const second = lineStride;
  const third = lineStride * 2;
  const fourth = lineStride * 3;
  for (; source < end; source += VECTOR) {
    const a = v128.load(source);
    const b = v128.load(source + second);
    const c = v128.load(source + third);
    const d = v128.load(source + fourth);
    const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(packed, v128.shuffle<i64>(abLow, cdLow, 0, 2));
    packed += groupBytes;
    v128.store(packed, v128.shuffle<i64>(abLow, cdLow, 1, 3));
    packed += groupBytes;
    v128.store(packed, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
    packed += groupBytes;
    v128.store(packed, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
    packed += groupBytes;
  }
  for (let k = inner & 3; k > 0; k--) {
    f32.store(packed, f32.load(source));
    f32.store(packed, f32.load(source + second), 4);
    f32.store(packed, f32.load(source + third), 8);
    f32.store(packed, f32.load(source + fourth), 12);
    source += 4;
    packed += groupBytes;
  }
}

function packOneLine(source: usize, packed: usize, groupBytes: usize, inner: usize): void {
  for (const end = source + (inner << FLOAT); source < end; source += 4) {
    f32.store(packed, f32.load(source));
    packed += groupBytes;
  }
}

/** Packs `inner` groups of four floats that already lie side by side, `innerStride` bytes from group to group. */
export function copyFours(source: usize, innerStride: usize, packed: usize, inner: usize): void {
  for (; inner > 0; inner--) {
    v128.store(packed, v128.load(source));
    source += innerStride;
    packed += VECTOR;
  }
}

/** As copyFours, eight at a time. */
export function copyEights(source: usize, innerStride: usize, packed: usize, inner: usize): void {
  for (; inner > 0; inner--) {
    v128.store(packed, v128.load(source));
    v128.store(packed, v128.load(source, VECTOR), VECTOR);
    source += innerStride;
    packed += 2 * VECTOR;
  }
}
