import { LARGEST_VALUE } from "../../shared/wire/tensor.ts";

/** The layer's own numbers ran away: its last checkpoint is the newest sane state. */
export class PoisonError extends Error {
  override readonly name = "PoisonError";

  constructor(what: string) {
    super(`Cannot go on learning: this layer's ${what} is not finite, or beyond ±${LARGEST_VALUE}`);
  }
}
