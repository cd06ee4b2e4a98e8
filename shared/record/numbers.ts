/** Numbers as people read them; what is not known, or not a number, is a dash. */

export const UNKNOWN = "–";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** "12,480" */
export function count(value: number | undefined): string {
  return isKnown(value) ? whole.format(value) : UNKNOWN;
}

/** "950", "66.8 k", "1.2 M" */
export function short(value: number | undefined): string {
  if (!isKnown(value)) return UNKNOWN;
  const [size, unit] = scaled(value, 1000, ["", " k", " M", " G"]);
  return `${unit === "" ? whole.format(size) : threeDigits(size)}${unit}`;
}

/** "8.3", "41.2", "1,412" a second. */
export function rate(perSecond: number | undefined): string {
  if (!isKnown(perSecond)) return UNKNOWN;
  return perSecond < 99.95 ? perSecond.toFixed(1) : whole.format(perSecond);
}

/** "3.21 MB" */
export function bytes(value: number | undefined): string {
  if (!isKnown(value)) return UNKNOWN;
  const [size, unit] = scaled(value, 1000, ["B", "kB", "MB", "GB"]);
  return `${unit === "B" ? whole.format(size) : threeDigits(size)} ${unit}`;
}

/** Losses and the like: three digits that count, never wider than 7 with its sign. */
export function figure(value: number | undefined): string {
  if (!isKnown(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 99_999.5) return value.toExponential(size >= 1e10 ? 0 : 1);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  return threeDigits(value);
}

/** A fraction as "98.29 %". */
export function percent(fraction: number | undefined, digits = 2): string {
  return isKnown(fraction) ? `${(100 * fraction).toFixed(digits)} %` : UNKNOWN;
}

/** "7 s", "12 min 34 s", "1 h 02 min" */
export function duration(seconds: number | undefined): string {
  if (!isKnown(seconds)) return UNKNOWN;
  const all = Math.max(0, Math.round(seconds));
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min ${two(all % 60)} s`;
  return `${Math.floor(all / 3600)} h ${two(Math.floor(all / 60) % 60)} min`;
}

/** Where columns are to stand below each other: "0:07", "12:34", "1:02:03" */
export function stopwatch(seconds: number | undefined): string {
  if (!isKnown(seconds)) return UNKNOWN;
  const all = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}

/** Time of day where the reader is: "14:03:27" */
export function clock(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
}

/** "2026-11-23 14:03" where the reader is. */
export function day(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return UNKNOWN;
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

// What comes over JSON as NaN arrives as null.
export function isKnown(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function scaled(value: number, step: number, units: readonly string[]): [number, string] {
  let [size, index] = [value, 0];
  while (Math.abs(size) >= 0.9995 * step && index < units.length - 1) {
    size /= step;
    index += 1;
  }
  return [size, units[index]!];
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(
    size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 || size === 0 ? 2 : size >= 0.01 ? 3 : 4,
  );
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
