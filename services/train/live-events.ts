import { rmSync } from "node:fs";
import { join } from "node:path";
import { FollowedFile } from "../../shared/record/files/followed-file.ts";
import { recordedLine } from "../../shared/record/files/run-files.ts";
import { EventFiles } from "../../shared/record/tensorboard/event-files.ts";

const EVERY_MS = 1_000;

/**
 * Event files for TensorBoard in runs/<id>/tensorboard, made anew from the whole record and then as it grows. Where they
 * cannot be written it says so once, and the run goes on without them.
 */
export class LiveEvents {
  readonly #metrics: FollowedFile;
  readonly #events: FollowedFile;
  readonly #files: EventFiles;
  readonly #say: (line: string) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(run: string, say: (line: string) => void) {
    const folder = join(run, "tensorboard");
    this.#metrics = new FollowedFile(join(run, "metrics.ndjson"));
    this.#events = new FollowedFile(join(run, "events.ndjson"));
    this.#files = new EventFiles(folder);
    this.#say = say;
    this.#orGiveUp(() => {
      rmSync(folder, { recursive: true, force: true });
      this.#timer = setInterval(() => this.#orGiveUp(() => this.#follow()), EVERY_MS);
      say(`tensorboard --logdir ${folder}`);
    });
  }

  /** With all that is in the record by now. */
  close(): void {
    if (this.#timer !== undefined) this.#orGiveUp(() => this.#follow());
    clearInterval(this.#timer);
    for (const each of [this.#metrics, this.#events, this.#files]) each.close();
  }

  #follow(): void {
    // The events last: a life's beginning, which is one, must not come after what the life learnt.
    const texts = [...this.#metrics.read(), ...this.#events.read()];
    this.#files.write(texts.flatMap((text) => recordedLine(text) ?? []));
  }

  #orGiveUp(write: () => void): void {
    try {
      write();
    } catch (error) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#say(`No more event files for TensorBoard: ${(error as Error).message}`);
    }
  }
}
