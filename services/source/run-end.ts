import type { Summary } from "../../shared/record/summary.ts";
import { textLoss } from "../../shared/record/text-loss.ts";
import { isOver, writeSummary } from "./record.ts";
import type { SourceStart } from "./startup.ts";

const RETRY_MS = 1000;

/** What a source needs of its worker to write the record. */
interface Keeper {
  readonly isStopping: boolean;
  readonly log: { error(fields: object, text: string): void };
  readonly timers: { after(ms: number, callback: () => void): void };
}

/** The record of a run's end: written by the life of the source that sees it, found by those after. */
export class RunEnd {
  readonly #start: SourceStart;
  readonly #startedAt: Date;
  readonly #keeper: Keeper;
  #isLooking = false;
  #alarm: string | undefined;

  constructor(start: SourceStart, startedAt: Date, keeper: Keeper) {
    this.#start = start;
    this.#startedAt = startedAt;
    this.#keeper = keeper;
  }

  /** Why the record cannot be written. */
  get alarm(): string | undefined {
    return this.#alarm;
  }

  /** Again and again until it works: the layers wait, and room on a disk comes back. False if this life ends meanwhile. */
  async write(found: Pick<Summary, "layers" | "test" | "source">): Promise<boolean> {
    const { options, environment } = this.#start;
    const summary = this.#summary(found);
    while (!this.#keeper.isStopping) {
      try {
        await writeSummary(options.record, summary, environment.disk);
        return !this.#keeper.isStopping;
      } catch (error) {
        this.#alarm = (error as Error).message;
        this.#keeper.log.error({ err: error }, "cannot write the run's record");
        await new Promise<void>((resolve) => this.#keeper.timers.after(RETRY_MS, resolve));
      }
    }
    return false;
  }

  /** Whether a former life has written it: this takes a while where a store is asked, and is asked once at a time. */
  async isThere(): Promise<boolean> {
    const { config, options, environment } = this.#start;
    if (this.#isLooking) return false;
    this.#isLooking = true;
    const over = await isOver(options.record, options.run, config, environment.disk).catch(() => false);
    this.#isLooking = false;
    return over;
  }

  #summary({ layers, test, source }: Pick<Summary, "layers" | "test" | "source">): Summary {
    const { config, options, environment } = this.#start;
    const text = textLoss(config, test.loss);
    return {
      run: options.run,
      config,
      seed: config.seed,
      startedAt: this.#startedAt.toISOString(),
      wallSeconds: (environment.date().getTime() - this.#startedAt.getTime()) / 1000,
      batches: config.run.batches,
      test,
      ...(text && { text }),
      layers,
      source,
      versions: { node: environment.nodeVersion },
    };
  }
}
