import { join } from "node:path";
import type { Disk } from "../../shared/checkpoint/disk.ts";
import {
  type Manifest,
  takeOverManifests,
  tidyManifests,
  writeManifest,
} from "../../shared/checkpoint/snapshot-manifest.ts";
import { batchOf } from "../../shared/checkpoint/snapshot-name.ts";
import { SNAPSHOTS } from "../../shared/checkpoint/snapshot-store.ts";
import type { SnapshotFrame } from "../../shared/wire/frames.ts";

/** So many manifests may be there, after writes that failed, before they must be tidied for another to be written. */
const MOST_DOUBTFUL = 16;

interface Place extends Pick<Manifest, "run" | "configHash"> {
  /** The run's folder. */
  readonly record: string;
  /** How many there are. */
  readonly layers: number;
}

/** The snapshots of a run as its source sees them: runs/<id>/snapshots/<name>.json, the last two. */
export class Snapshots {
  readonly #place: Place;
  readonly #disk: Disk;
  /** Those that have a manifest, or may have one; newest first. */
  #durable: readonly string[];
  /** The last one that a barrier was sent for; an answer about another is late. */
  #awaited: string | undefined;
  #writing: string | undefined;

  /** For a life that has claimed the run. */
  static async open(place: Place, disk: Disk): Promise<Snapshots> {
    return new Snapshots(place, disk, await takeOverManifests(join(place.record, SNAPSHOTS), disk));
  }

  private constructor(place: Place, disk: Disk, durable: readonly string[]) {
    this.#place = place;
    this.#disk = disk;
    this.#durable = durable;
  }

  /** The batch of the newest; −1 if there is none. */
  get newest(): number {
    return this.#durable[0] === undefined ? -1 : batchOf(this.#durable[0]);
  }

  /** A barrier is sent; the names that no layer may remove yet. */
  began(name: string): readonly string[] {
    this.#awaited = name;
    return this.#writing === undefined ? this.#durable : [this.#writing, ...this.#durable];
  }

  /**
   * True when its manifest is durable; false where nobody waits for it any more, as after the next barrier. Rejects if it
   * cannot be written, does not speak of every layer, or `requireOffice` does.
   */
  async saved(
    { snapshot, saved, test }: SnapshotFrame,
    savedAt: Date,
    requireOffice: () => Promise<void>,
  ): Promise<boolean> {
    if (snapshot !== this.#awaited || this.#writing !== undefined) return false;
    this.#awaited = undefined;
    const { record, layers, run, configHash } = this.#place;
    if (saved.length !== layers || saved.some(({ layer }, index) => layer !== index + 1))
      throw new Error(
        `Cannot rely on snapshot ${snapshot}: it is of ${saved.length} layers, expected ${layers}`,
      );
    this.#writing = snapshot;
    const batch = batchOf(snapshot);
    const manifest: Manifest = {
      ...{ run, snapshot, batch, configHash, savedAt: savedAt.toISOString(), layers: saved },
      ...(test ? { test } : {}),
    };
    try {
      const folder = join(record, SNAPSHOTS);
      if (this.#durable.length >= MOST_DOUBTFUL) this.#durable = await tidyManifests(folder, this.#disk);
      // Should it fail, it may be there all the same.
      this.#durable = [snapshot, ...this.#durable];
      this.#durable = await writeManifest(folder, manifest, this.#disk, requireOffice);
      return true;
    } finally {
      this.#writing = undefined;
    }
  }
}
