/** Numbers as people read them; what is not known, or not a number, is a dash. */

export const UNKNOWN = "–";

/** "0:07", "12:34", "1:02:03" */
export function duration(seconds: number | undefined): string {
  if (!isKnown(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Losses and the like, never wider than 7. */
export function measure(value: number | undefined): string {
  if (!isKnown(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 99_999.5) return value.toExponential(0);
  return value.toFixed(size < 10 ? 3 : size < 1000 ? 1 : 0);
}

export function rate(perSecond: number | undefined): string {
  if (!isKnown(perSecond)) return UNKNOWN;
  return perSecond.toFixed(perSecond < 99.95 ? 1 : 0);
}

/** A fraction as "98.29 %". */
export function percent(fraction: number | undefined, digits = 2): string {
  return isKnown(fraction) ? `${(100 * fraction).toFixed(digits)} %` : UNKNOWN;
}

// What comes over a JSON channel as NaN arrives as null.
function isKnown(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
