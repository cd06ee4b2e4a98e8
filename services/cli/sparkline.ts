const SIGNS = [..."▁▂▃▄▅▆▇█"];

/** One sign a value, from the lowest to the highest of them; what is no number is a blank. */
export function sparkline(values: readonly number[]): string {
  const known = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return values.map((value) => (Number.isFinite(value) ? signOf(value, low, high) : " ")).join("");
}

function signOf(value: number, low: number, high: number): string {
  // All alike: nothing to tell apart.
  if (high === low) return SIGNS[3]!;
  return SIGNS[Math.round(((value - low) / (high - low)) * (SIGNS.length - 1))]!;
}
