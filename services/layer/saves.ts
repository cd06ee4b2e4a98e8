import type { Logger } from "pino";
import { CheckpointError } from "../../shared/run/checkpoint.ts";
import { CheckpointWriteError, Replaced } from "../../shared/run/checkpoint-store.ts";
import type { BarrierFrame, TestResult } from "../../shared/wire/frames.ts";
import type { Lineage } from "./lineage.ts";

/** Between two lines about the same: at full speed there are several checkpoints a second. */
const LOG_MS = 5000;

/**
 * What came of a save. It may work next time where it failed, and never where that is impossible; a newer life may be in
 * office; and what it holds may be nothing to save, as by the error.
 */
export type Saved = "durable" | "failed" | "impossible" | "replaced" | CheckpointError;

type Savable = Pick<Lineage, "save" | "snapshot" | "durable">;

export interface SavesEdges {
  readonly log: Logger;
  /** Milliseconds of any steady clock. */
  readonly now: () => number;
  readonly event: (name: "alarm" | "calm" | "finished", text: string) => void;
}

/** How a layer saves what it is, says so, and raises the alarm while it cannot: training goes on meanwhile. */
export class Saves {
  readonly #lineage: Savable;
  readonly #edges: SavesEdges;
  #isAskedFor = false;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #alarm: string | undefined;
  #alarmLoggedAt = Number.NEGATIVE_INFINITY;

  constructor(lineage: Savable, edges: SavesEdges) {
    this.#lineage = lineage;
    this.#edges = edges;
  }

  /** Why the last checkpoint failed; undefined if it did not. */
  get alarm(): string | undefined {
    return this.#alarm;
  }

  /** After the save under way, if there is one; undefined where that is awaited already: one more saves it all. */
  async atOnce(): Promise<Saved | undefined> {
    if (this.#isAskedFor) return undefined;
    this.#isAskedFor = true;
    const saved = await this.checkpoint();
    this.#isAskedFor = false;
    return saved;
  }

  async checkpoint(): Promise<Saved> {
    const startedAt = this.#edges.now();
    try {
      await this.#lineage.save();
    } catch (error) {
      return this.#failed(error as Error);
    }
    this.#sayCheckpoint(startedAt);
    this.#alarmOver();
    return "durable";
  }

  /** The last one of the run, with what the network came to where this layer has heard it. */
  async final(test: TestResult | undefined): Promise<Saved> {
    try {
      await this.#lineage.save({ test });
    } catch (error) {
      const isOfDisk = error instanceof CheckpointWriteError;
      if (isOfDisk || error instanceof Replaced || error instanceof CheckpointError)
        return this.#failed(error);
      this.#edges.log.error({ err: error }, "last checkpoint failed");
      return "impossible";
    }
    this.#alarmOver();
    this.#edges.log.info({ batch: this.#lineage.durable }, "finished");
    this.#edges.event("finished", "holds the last batch, durably");
    return "durable";
  }

  /** Tells `onDurable` the file's digest. Where it cannot be saved there is none this time: the last one stays. */
  async snapshot(
    { batch, snapshot, kept }: BarrierFrame,
    onDurable: (digest: string) => void,
  ): Promise<Saved> {
    const { log } = this.#edges;
    try {
      const digest = await this.#lineage.snapshot(snapshot, kept);
      log.debug({ batch, snapshot, digest }, "snapshot");
      onDurable(digest);
      return "durable";
    } catch (error) {
      if (error instanceof Replaced) return "replaced";
      if (error instanceof CheckpointError) return error;
      log.warn({ batch, snapshot, err: error }, "snapshot failed");
      return "failed";
    }
  }

  #failed(error: Error): Saved {
    if (error instanceof Replaced) return "replaced";
    if (error instanceof CheckpointError) return error;
    this.#raiseAlarm(error);
    return "failed";
  }

  /** Said at once, then every few seconds. */
  #raiseAlarm(error: Error): void {
    const isNew = this.#alarm === undefined;
    this.#alarm = error.message;
    const now = this.#edges.now();
    if (!isNew && now - this.#alarmLoggedAt < LOG_MS) return;
    this.#alarmLoggedAt = now;
    if (isNew) this.#edges.event("alarm", error.message);
    this.#edges.log.error({ err: error, durable: this.#lineage.durable }, "checkpoint failed");
  }

  #alarmOver(): void {
    if (this.#alarm === undefined) return;
    this.#alarm = undefined;
    this.#edges.log.info({ batch: this.#lineage.durable }, "checkpoints work again");
    this.#edges.event("calm", "checkpoints work again");
  }

  #sayCheckpoint(startedAt: number): void {
    const now = this.#edges.now();
    const fields = { batch: this.#lineage.durable, tookMs: Math.round(now - startedAt) };
    const isNews = now - this.#loggedAt >= LOG_MS;
    if (isNews) this.#loggedAt = now;
    this.#edges.log[isNews ? "info" : "debug"](fields, "checkpoint");
  }
}
