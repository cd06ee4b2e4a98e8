import type { Disk } from "./disk.ts";
import { isReplaced } from "./incarnation.ts";
import { Replaced } from "./store.ts";

/** A life's claim to its state folder: a later claim takes it over, even if no neighbour has met that life yet. */
export class Claim {
  readonly #folder: string;
  readonly #incarnation: number;
  readonly #disk: Disk;
  #isGlancing = false;

  constructor(folder: string, incarnation: number, disk: Disk) {
    this.#folder = folder;
    this.#incarnation = incarnation;
    this.#disk = disk;
  }

  /** "unknown": the disk fails, for a while perhaps. */
  look(): Promise<"in office" | "replaced" | "unknown"> {
    return this.#isReplaced().then(
      (isReplaced) => (isReplaced ? "replaced" : "in office"),
      () => "unknown",
    );
  }

  /** As `look`: "unknown" where a slow disk owes the answer for so long. */
  lookWithin(ms: number, timers: { after(ms: number, run: () => void): void }): ReturnType<Claim["look"]> {
    const owed = new Promise<"unknown">((resolve) => timers.after(ms, () => resolve("unknown")));
    return Promise.race([this.look(), owed]);
  }

  /** As `look`, for those who look again and again: "unknown" at once while a slow disk owes the last answer. */
  async glance(): Promise<Awaited<ReturnType<Claim["look"]>>> {
    if (this.#isGlancing) return "unknown";
    this.#isGlancing = true;
    const found = await this.look();
    this.#isGlancing = false;
    return found;
  }

  /** Rejects where it was replaced, or cannot know: then `written` must not be relied on. */
  async require(written: string): Promise<void> {
    if (await this.#isReplaced()) throw new Replaced(written, this.#folder);
  }

  #isReplaced(): Promise<boolean> {
    return isReplaced(this.#folder, this.#incarnation, this.#disk);
  }
}
