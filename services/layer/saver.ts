import { CheckpointError } from "../../shared/checkpoint/checkpoint.ts";
import { CheckpointWriteError, Replaced } from "../../shared/checkpoint/store.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import type { BarrierFrame, TestResult } from "../../shared/wire/frames.ts";
import { LogThrottle } from "../worker/log-throttle.ts";
import type { Timers } from "../worker/timers.ts";
import type { Worker } from "../worker/worker.ts";
import { CheckpointAlarm } from "./checkpoint-alarm.ts";
import type { Lineage } from "./lineage.ts";

const RETRY_MS = 1000;

type Saved = Pick<Lineage, "durable" | "isSaving" | "save" | "snapshot">;

/** Of the life whose lineage is saved. */
type SavingWorker = Pick<Worker, "log" | "now" | "event" | "isStopping" | "mustEnd" | "end"> & {
  readonly timers: Pick<Timers, "after">;
};

/** When a layer is saved and what is said of it: every so many batches, when asked, at a barrier, at the end of the run. */
export class Saver {
  readonly #lineage: Saved;
  readonly #worker: SavingWorker;
  readonly #alarm: CheckpointAlarm;
  /** At full speed there are several checkpoints a second. */
  readonly #pace: LogThrottle;
  /** From one checkpoint to the next. */
  readonly #leastMs: number;
  #savedAt = Number.NEGATIVE_INFINITY;
  #isAskedToSave = false;

  constructor(lineage: Saved, worker: SavingWorker, leastMs = 0) {
    this.#leastMs = leastMs;
    this.#lineage = lineage;
    this.#worker = worker;
    this.#alarm = new CheckpointAlarm(worker);
    this.#pace = new LogThrottle(() => worker.now());
  }

  /** Why the last checkpoint failed; undefined if it did not. */
  get alarm(): string | undefined {
    return this.#alarm.why;
  }

  /** Saves what is at this very moment; not at all where another save is under way, or was begun just now. */
  checkpoint(onOver: () => void): void {
    const isTooSoon = this.#worker.now() - this.#savedAt < this.#leastMs;
    // Not within this call: what it is called from is not over yet.
    const saved = isTooSoon || this.#lineage.isSaving ? Promise.resolve() : this.save();
    void saved.then(onOver);
  }

  /** After the save under way, if there is one; asked for again meanwhile, once. */
  async saveNow(): Promise<void> {
    if (this.#isAskedToSave) return;
    this.#isAskedToSave = true;
    await this.save();
    this.#isAskedToSave = false;
  }

  async save(): Promise<void> {
    const startedAt = this.#worker.now();
    this.#savedAt = startedAt;
    try {
      await this.#lineage.save();
      this.#logCheckpoint(startedAt);
      this.#alarm.over(this.#lineage.durable);
    } catch (error) {
      if (isTheEnd(error)) return this.#worker.mustEnd(error);
      this.#alarm.raise(error as Error, this.#lineage.durable);
    }
  }

  #logCheckpoint(startedAt: number): void {
    const tookMs = Math.round(this.#worker.now() - startedAt);
    const level = this.#pace.allows() ? "info" : "debug";
    this.#worker.log[level]({ batch: this.#lineage.durable, tookMs }, "checkpoint");
  }

  /**
   * The end of the run, with what the head has judged by then. Again and again until it works: nothing was lost yet, and
   * room on a disk comes back.
   */
  async saveFinal(test: () => TestResult | undefined, onDurable: () => void): Promise<void> {
    const { log } = this.#worker;
    try {
      await this.#lineage.save({ test: test() });
      this.#alarm.over(this.#lineage.durable);
      log.info({ batch: this.#lineage.durable }, "finished");
      this.#worker.event("finished", "holds the last batch, durably");
      if (!this.#worker.isStopping) onDurable();
    } catch (error) {
      if (isTheEnd(error)) return this.#worker.mustEnd(error);
      if (error instanceof CheckpointWriteError) {
        this.#alarm.raise(error, this.#lineage.durable);
        if (!this.#worker.isStopping)
          this.#worker.timers.after(RETRY_MS, () => void this.saveFinal(test, onDurable));
        return;
      }
      log.error({ err: error }, "last checkpoint failed");
      if (!this.#worker.isStopping) await this.#worker.end(ExitCode.gaveUp, "cannot save the end of the run");
    }
  }

  /**
   * That the run is over and nobody needs this layer any more; again and again until it works: without it, a life that
   * follows would wait for a word from a predecessor that has left.
   */
  async saveReleased(test: TestResult | undefined): Promise<void> {
    try {
      await this.#lineage.save({ test, isReleased: true });
    } catch (error) {
      this.#worker.log.warn({ err: error }, "cannot save that it was released");
      if (!(error instanceof CheckpointWriteError)) return;
      await new Promise<void>((resolve) => this.#worker.timers.after(RETRY_MS, resolve));
      return this.saveReleased(test);
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
    const { log } = this.#worker;
    try {
      const digest = await this.#lineage.snapshot(snapshot, kept);
      log.debug({ batch, snapshot, digest }, "snapshot");
      if (!this.#worker.isStopping) onDurable(digest);
    } catch (error) {
      if (isTheEnd(error)) return this.#worker.mustEnd(error);
      log.warn({ batch, snapshot, err: error }, "snapshot failed");
    }
  }
}

function isTheEnd(error: unknown): error is Replaced | CheckpointError {
  return error instanceof Replaced || error instanceof CheckpointError;
}
