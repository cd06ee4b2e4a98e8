import type { LookMessage, SeenMessage } from "../../../shared/telemetry/messages.ts";
import type { Environment } from "../../worker/environment.ts";
import type { WatchedWork } from "./watched-work.ts";

/** What the hub wants to see of a batch, one at a time: one that is asked for takes the place of another. */
export class Looks {
  readonly #work: Pick<WatchedWork, "lookAt">;
  readonly #environment: Pick<Environment, "wallMs" | "after">;
  readonly #tell: (seen: Omit<SeenMessage, "kind">) => void;

  constructor(
    work: Pick<WatchedWork, "lookAt">,
    environment: Pick<Environment, "wallMs" | "after">,
    tell: (seen: Omit<SeenMessage, "kind">) => void,
  ) {
    this.#work = work;
    this.#environment = environment;
    this.#tell = tell;
  }

  /** `cursor`: of the layer. */
  hear({ look, batch }: LookMessage, cursor: number): void {
    if (batch <= cursor)
      return this.#tell({ look, batch, moments: {}, refusal: `it was at batch ${cursor} already` });
    const { wallMs, after } = this.#environment;
    this.#work.lookAt(batch, {
      clock: wallMs,
      // What it comes to takes longer than a batch: the neighbours hear of theirs first.
      done: (seen) => void after(0, () => this.#tell({ look, ...seen.seen() })),
    });
  }
}
