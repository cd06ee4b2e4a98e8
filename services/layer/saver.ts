import type { Logger } from "pino";
import { CheckpointError } from "../../shared/checkpoint/checkpoint.ts";
import { CheckpointWriteError, Replaced } from "../../shared/checkpoint/store.ts";
import type { EventName } from "../../shared/record/lines.ts";
import type { BarrierFrame, TestResult } from "../../shared/wire/frames.ts";
import { LogThrottle } from "../worker/log-throttle.ts";
import { CheckpointAlarm } from "./checkpoint-alarm.ts";
import type { Lineage } from "./lineage.ts";

const RETRY_MS = 1000;

type Saved = Pick<Lineage, "durable" | "isSaving" | "save" | "snapshot">;

/** The life whose lineage is saved. */
export interface SaverSurroundings {
  readonly log: Logger;
  now(): number;
  /** Unless the life ends before. */
  after(ms: number, run: () => void): void;
  event(name: EventName, text: string): void;
  /** Nobody waits for what is saved once it is not. */
  isRunning(): boolean;
  /** It must not go on: a newer life is in office, or what it holds is not to be saved. */
  mustEnd(error: Replaced | CheckpointError): Promise<void> | void;
  /** The end of the run cannot be saved, and trying again would not help. */
  gaveUp(): Promise<void>;
}

/** When a layer is saved and what is said of it: every so many batches, when asked, at a barrier, at the end of the run. */
export class Saver {
  readonly #lineage: Saved;
  readonly #everyBatches: number;
  readonly #around: SaverSurroundings;
  readonly #alarm: CheckpointAlarm;
  /** At full speed there are several checkpoints a second. */
  readonly #pace: LogThrottle;
  #isAskedToSave = false;

  constructor(lineage: Saved, everyBatches: number, around: SaverSurroundings) {
    this.#lineage = lineage;
    this.#everyBatches = everyBatches;
    this.#around = around;
    this.#alarm = new CheckpointAlarm(around);
    this.#pace = new LogThrottle(around.now);
  }

  /** Why the last checkpoint failed; undefined if it did not. */
  get alarm(): string | undefined {
    return this.#alarm.why;
  }

  /** This batch was applied: saves if it is time, unless that is still under way. */
  applied(cursor: number): void {
    if ((cursor + 1) % this.#everyBatches === 0 && !this.#lineage.isSaving) void this.save();
  }

  /** After the save under way, if there is one; asked for again meanwhile, once. */
  async saveNow(): Promise<void> {
    if (this.#isAskedToSave) return;
    this.#isAskedToSave = true;
    await this.save();
    this.#isAskedToSave = false;
  }

  async save(): Promise<void> {
    const startedAt = this.#around.now();
    try {
      await this.#lineage.save();
      this.#logCheckpoint(startedAt);
      this.#alarm.over(this.#lineage.durable);
    } catch (error) {
      if (isTheEnd(error)) return this.#around.mustEnd(error);
      this.#alarm.raise(error as Error, this.#lineage.durable);
    }
  }

  #logCheckpoint(startedAt: number): void {
    const tookMs = Math.round(this.#around.now() - startedAt);
    const level = this.#pace.allows() ? "info" : "debug";
    this.#around.log[level]({ batch: this.#lineage.durable, tookMs }, "checkpoint");
  }

  /**
   * The end of the run, with what the head has judged by then. Again and again until it works: nothing was lost yet, and
   * room on a disk comes back.
   */
  async saveFinal(test: () => TestResult | undefined, onDurable: () => void): Promise<void> {
    const { log } = this.#around;
    try {
      await this.#lineage.save({ test: test() });
      this.#alarm.over(this.#lineage.durable);
      log.info({ batch: this.#lineage.durable }, "finished");
      this.#around.event("finished", "holds the last batch, durably");
      if (this.#around.isRunning()) onDurable();
    } catch (error) {
      if (isTheEnd(error)) return this.#around.mustEnd(error);
      if (error instanceof CheckpointWriteError) {
        this.#alarm.raise(error, this.#lineage.durable);
        if (this.#around.isRunning())
          this.#around.after(RETRY_MS, () => void this.saveFinal(test, onDurable));
        return;
      }
      log.error({ err: error }, "last checkpoint failed");
      if (this.#around.isRunning()) await this.#around.gaveUp();
    }
  }

  /**
   * A share of the network's snapshot; hands over its digest. Where it cannot be saved there is none this time: the last
   * one stays, and so do the checkpoints.
   */
  async saveSnapshot(
    { batch, snapshot, kept }: BarrierFrame,
    onDurable: (digest: string) => void,
  ): Promise<void> {
    const { log } = this.#around;
    try {
      const digest = await this.#lineage.snapshot(snapshot, kept);
      log.debug({ batch, snapshot, digest }, "snapshot");
      if (this.#around.isRunning()) onDurable(digest);
    } catch (error) {
      if (isTheEnd(error)) return this.#around.mustEnd(error);
      log.warn({ batch, snapshot, err: error }, "snapshot failed");
    }
  }
}

function isTheEnd(error: unknown): error is Replaced | CheckpointError {
  return error instanceof Replaced || error instanceof CheckpointError;
}
