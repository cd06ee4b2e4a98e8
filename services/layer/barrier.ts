import type { SavedLayer, SnapshotFrame } from "../../shared/wire/frames.ts";

interface UnderWay {
  readonly name: string;
  readonly own?: SavedLayer;
  /** Of the layers after this one, the head's test result with it. */
  readonly after?: Pick<SnapshotFrame, "saved" | "test">;
}

/**
 * A layer at a barrier: the predecessor hears of it once this layer and all after it have saved. One is under way
 * at a time: should the next come before, the last is never told of, and its files go with the next.
 */
export class Barrier {
  #underWay: UnderWay | undefined;

  /** `after`: the head knows all there is to know of those after it. */
  begin(name: string, after?: UnderWay["after"]): void {
    this.#underWay = { name, ...(after ? { after } : {}) };
  }

  /** This layer's share is durable. What the predecessor is to hear, if it is the time. */
  saved(name: string, own: SavedLayer): SnapshotFrame | undefined {
    return this.#join(name, { own });
  }

  heard({ snapshot, saved, test }: SnapshotFrame): SnapshotFrame | undefined {
    return this.#join(snapshot, { after: { saved, ...(test ? { test } : {}) } });
  }

  #join(name: string, part: Partial<UnderWay>): SnapshotFrame | undefined {
    if (this.#underWay?.name !== name) return undefined;
    this.#underWay = { ...this.#underWay, ...part };
    const { own, after } = this.#underWay;
    if (!own || !after) return undefined;
    this.#underWay = undefined;
    return { kind: "snapshot", snapshot: name, ...after, saved: [own, ...after.saved] };
  }
}
