/** In how many parts of at most `size` rows `total` rows go; the last part may be short. */
export function countParts(total: number, size: number): number {
  return Math.ceil(total / size);
}

/** Where part `part` starts, and how many rows it has. Throws a RangeError for a part that is not there. */
export function rowsOfPart(total: number, part: number, size: number): { from: number; rows: number } {
  const parts = countParts(total, size);
  if (!Number.isInteger(part) || part < 0 || part >= parts) {
    throw new RangeError(`Cannot take part ${part}: ${total} rows have parts 0 to ${parts - 1} of ${size}`);
  }
  const from = part * size;
  return { from, rows: Math.min(size, total - from) };
}
