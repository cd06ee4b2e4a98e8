import { statedDigest } from "../../../shared/checkpoint/checkpoint.ts";
import type { Manifest } from "../../../shared/checkpoint/snapshot-manifest.ts";
import { snapshotsAmong } from "../../../shared/checkpoint/snapshot-name.ts";
import type { Machine } from "../machine.ts";
import { RECORD, STATE } from "../world/folders.ts";
import type { Violate } from "./invariant.ts";
import { checkpointIn } from "./whole-checkpoints.ts";

/** What must hold of the network's snapshots, whatever else happened: where there is a manifest, there are all its files. */
export class SnapshotChecks {
  readonly #posts: readonly Machine[];
  readonly #violate: Violate;
  #isChanged = false;

  constructor(posts: readonly Machine[], violate: Violate) {
    this.#posts = posts;
    this.#violate = violate;
    for (const { disk } of posts)
      disk.onChanged = () => {
        this.#isChanged = true;
      };
  }

  /** Where no file has come or gone since the last time, nothing is looked at. */
  check(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    for (const manifest of this.manifests) this.#checkManifest(manifest);
  }

  /** As they lie on the source's disk. */
  get manifests(): Manifest[] {
    const { disk } = this.#posts[0]!;
    const names = snapshotsAmong(disk.list(`${RECORD}/snapshots`), ".json");
    return names.map((name) =>
      JSON.parse(Buffer.from(disk.bytesOf(`${RECORD}/snapshots/${name}.json`)!).toString()),
    );
  }

  #checkManifest({ snapshot, batch, layers }: Manifest): void {
    if (layers.length !== this.#posts.length - 1) this.#violate("snapshot", `${snapshot} lacks layers`);
    for (const { layer, digest } of layers) {
      const what = `layer${layer} in ${snapshot}`;
      const bytes = this.#posts[layer]!.disk.bytesOf(`${STATE}/snapshots/${snapshot}.safetensors`);
      const checkpoint = bytes && checkpointIn(bytes);
      if (!checkpoint) this.#violate("snapshot", `${what}: ${bytes ? "damaged" : "gone"}`);
      else if (statedDigest(bytes) !== digest) this.#violate("snapshot", `${what}: other bytes`);
      else if (checkpoint.cursor !== batch - 1) this.#violate("snapshot", `${what}: elsewhere`);
    }
  }
}
