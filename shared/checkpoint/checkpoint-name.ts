import type { Checkpoint } from "./checkpoint.ts";

const PATTERN = /^checkpoint-(\d+)-(-1|\d+)\.safetensors(\.corrupt)?$/;

export function nameOf({ incarnation, cursor }: Pick<Checkpoint, "incarnation" | "cursor">): string {
  const padded = cursor < 0 ? String(cursor) : String(cursor).padStart(9, "0");
  return `checkpoint-${String(incarnation).padStart(6, "0")}-${padded}.safetensors`;
}

/** Of whose life, and its cursor. */
export function placeOf(name: string): [incarnation: number, cursor: number] {
  return PATTERN.exec(name)!.slice(1, 3).map(Number) as [number, number];
}

export function isCheckpoint(name: string): boolean {
  return PATTERN.test(name) && !name.endsWith(".corrupt");
}

export function isCorrupt(name: string): boolean {
  return PATTERN.test(name) && name.endsWith(".corrupt");
}

export function isTemporary(name: string): boolean {
  return name.startsWith("checkpoint-") && name.endsWith(".tmp");
}

export function newestFirst(names: readonly string[], which: (name: string) => boolean): string[] {
  return names.filter(which).sort((a, b) => {
    const [incarnationA, cursorA] = placeOf(a);
    const [incarnationB, cursorB] = placeOf(b);
    return incarnationB - incarnationA || cursorB - cursorA;
  });
}

/**
 * The newest so many, and of so many batches the newest. Where a life went back, it saves batches that older ones had
 * saved, too: it may have to go back further, and those before are all it has.
 */
export function wantedOf(checkpoints: readonly string[], written: string, kept: number): string[] {
  const [life, cursor] = placeOf(written);
  const cursors = new Set<number>();
  return checkpoints.filter((name, index) => {
    const [itsLife, itsCursor] = placeOf(name);
    const isPassed = itsLife < life && itsCursor > cursor;
    const isNew = !isPassed && cursors.size < kept && !cursors.has(itsCursor);
    if (isNew) cursors.add(itsCursor);
    return isNew || index < kept;
  });
}
