/**
 * A snapshot of the network is named after its batch, in nine digits or more, and by eight hex digits that no other has:
 * whoever tries the same batch again makes another one, and whoever answers late is not mistaken.
 */
export function snapshotName(batch: number, random: () => number): string {
  const chance = Math.floor(random() * 2 ** 32);
  return `${String(batch).padStart(9, "0")}-${chance.toString(16).padStart(8, "0")}`;
}

export function batchOf(name: string): number {
  return Number.parseInt(name, 10);
}

/** Those of `names` that are a snapshot's, with `ending` behind; newest first, and without it. */
export function snapshotsAmong(names: readonly string[], ending: string): string[] {
  const snapshots = names
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
  return snapshots
    .filter((name) => /^\d{9,16}-[0-9a-f]{8}$/.test(name))
    .sort((one, other) => batchOf(other) - batchOf(one) || (one < other ? 1 : -1));
}
