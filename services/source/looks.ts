import type { Seen } from "../../shared/record/seen.ts";
import type { LookMessage, SeenMessage } from "../../shared/telemetry/messages.ts";
import type { Environment } from "../worker/environment.ts";

/** When a batch that the hub wants to see was sent, and answered. */
export class Looks {
  readonly #environment: Pick<Environment, "wallMs">;
  readonly #tell: (seen: Omit<SeenMessage, "kind">) => void;
  #look: { readonly look: number; readonly batch: number; readonly moments: Seen["moments"] } | undefined;

  constructor(environment: Pick<Environment, "wallMs">, tell: (seen: Omit<SeenMessage, "kind">) => void) {
    this.#environment = environment;
    this.#tell = tell;
  }

  /** `cursor`: the batch sent last. */
  hear({ look, batch }: LookMessage, cursor: number): void {
    if (batch > cursor) this.#look = { look, batch, moments: {} };
    else this.#tell({ look, batch, moments: {}, refusal: `it was at batch ${cursor} already` });
  }

  sent(batch: number): void {
    if (this.#look?.batch === batch)
      this.#look = { ...this.#look, moments: { sent: this.#environment.wallMs() } };
  }

  answered(batch: number): void {
    const look = this.#look;
    if (look?.batch !== batch || look.moments.sent === undefined) return;
    this.#look = undefined;
    this.#tell({ ...look, moments: { ...look.moments, answered: this.#environment.wallMs() } });
  }
}
