import type { Link, Why } from "../../shared/link/link.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { CloseCode } from "../../shared/wire/frames.ts";
import { isConfirmed, type Worker } from "../worker/worker.ts";
import type { LayerService } from "./layer-service.ts";
import type { Saver } from "./saver.ts";

const LOOK_MS = 500;
const LAST_SAVE_MS = 8000;
/** A successor that died just now comes back within that, and must hear that the run is over. */
const RELEASE_MS = 600_000;
/** Released in a life before, and alone for so long: a predecessor that did not hear that this one knows has come by then. */
const OVER_MS = 15_000;
/** Finished, alone for so long, and never released. */
const FORGOTTEN_MS = 600_000;

type Departing = Pick<LayerService, "standing" | "test" | "predecessor" | "successor">;

/**
 * How a layer leaves. It has finished when its last batch is saved, and is needed until all layers have; then the source
 * releases layer 1, and each passes that on, saves it, and goes.
 */
export class Departure {
  readonly #worker: Worker;
  readonly #saver: Saver;
  readonly #service: Departing;
  /** Undefined until the run is over; resolves when that is saved. */
  #release: Promise<void> | undefined;

  constructor(worker: Worker, saver: Saver, service: Departing) {
    this.#worker = worker;
    this.#saver = saver;
    this.#service = service;
  }

  get isReleased(): boolean {
    return this.#release !== undefined;
  }

  /** A life that begins where a former one had come to the end. */
  restored({ finished, isReleased }: { readonly finished: boolean; readonly isReleased: boolean }): void {
    if (isReleased) this.#afterAlone(OVER_MS, () => this.release());
    else if (finished) this.waitForRelease();
  }

  /** A finished layer is needed until all are: it never exits as done by itself, but asks to be started again. */
  waitForRelease(): void {
    this.#afterAlone(FORGOTTEN_MS, () => {
      if (!this.isReleased) void this.#worker.end(ExitCode.startAgain, "finished, and was not released");
    });
  }

  /** All layers have finished. */
  release(): void {
    if (this.isReleased || this.#worker.isStopping) return;
    const saved = this.notForLong(this.#saver.saveReleased(this.#service.test));
    // Its sign to the predecessor, which may leave now: this layer knows what it needs to know in any life to come.
    this.#release = saved.then(() => this.#service.predecessor?.close(CloseCode.done, "finished"));
    if (!this.#worker.hasSuccessor) return void this.#leave();
    this.#worker.timers.after(RELEASE_MS, () => void this.#leave());
    if (this.#service.successor) this.#worker.passRelease(this.#service.successor);
  }

  successorUp(link: Link): void {
    if (this.isReleased) this.#worker.passRelease(link);
  }

  /** A successor that was not heard to have read the release is told again. */
  successorDown(why: Why): void {
    if (this.isReleased && isConfirmed(why)) void this.#leave();
  }

  /** A store that does not answer is not waited for longer than the one that stops us waits. */
  notForLong(saved: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#worker.timers.after(LAST_SAVE_MS, resolve);
      void saved.then(resolve);
    });
  }

  async #leave(): Promise<void> {
    await this.#release;
    await this.#worker.end(ExitCode.done, "done");
  }

  /** As soon as no neighbour has come for so long. */
  #afterAlone(afterMs: number, leave: () => void): void {
    let aloneMs = 0;
    this.#worker.timers.every(LOOK_MS, () => {
      aloneMs = this.#service.standing === "waiting" ? aloneMs + LOOK_MS : 0;
      if (aloneMs >= afterMs) leave();
    });
  }
}
