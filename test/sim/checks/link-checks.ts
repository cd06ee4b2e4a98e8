import type { Frame } from "../../../shared/wire/frames.ts";
import type { Machine } from "../machine.ts";
import type { Connection } from "../network/connection.ts";
import type { Watcher } from "../network/simulated-network.ts";
import type { Life } from "../world/life.ts";
import type { Violate } from "./invariant.ts";

/** What must hold of whom a life is linked to, and of what passes between them. */
export class LinkChecks implements Watcher {
  readonly #posts: readonly Machine[];
  readonly #window: number;
  readonly #violate: Violate;

  constructor(posts: readonly Machine[], window: number, violate: Violate) {
    this.#posts = posts;
    this.#window = window;
    this.#violate = violate;
  }

  dialled(life: Life, incarnation: number): void {
    this.#met(life, "successor", incarnation);
  }

  accepted(life: Life, incarnation: number): void {
    this.#met(life, "predecessor", incarnation);
  }

  /** As the sender sees it, answers on their way included: never less than what waits at the other end. */
  sent(connection: Connection, frame: Frame, forward: boolean): void {
    if (frame.kind === "activation" || frame.kind === "preview" || frame.kind === "barrier")
      connection.inFlight += 1;
    if (frame.kind === "gradient") connection.inFlight -= 1;
    if (connection.isTamperedWith) return;
    const { inFlight, url } = connection;
    if (inFlight > this.#window)
      this.#violate("window", `${inFlight} unanswered at ${url}, window is ${this.#window}`);
    if (inFlight < 0) this.#violate("window", `an answer too many at ${url}`);
    if (forward) this.#checkFollowing(connection, frame);
    if (frame.kind === "release") this.#checkReleasedOnce(connection);
    if (frame.kind !== "activation" && frame.kind !== "correction") return;
    const floats = new Float32Array(frame.activation.data.slice().buffer);
    if (!floats.every(Number.isFinite)) this.#violate("finite", `sent to ${url}`);
  }

  #checkReleasedOnce(connection: Connection): void {
    if (connection.isReleased) this.#violate("released once", `twice at ${connection.url}`);
    connection.isReleased = true;
  }

  #met(life: Life, side: "predecessor" | "successor", incarnation: number): void {
    const lived = this.#posts.flatMap(({ lives }) => lives).find((each) => each.life === life)!;
    if (side === "successor") lived.lostTargets += 1;
    if (incarnation < lived.met[side])
      this.#violate("fenced", `${life.name} takes ${side} ${incarnation} after ${lived.met[side]}`);
    lived.met[side] = Math.max(lived.met[side], incarnation);
  }

  /** A correction goes directly behind its preview, and a batch is not sent in two ways. */
  #checkFollowing(connection: Connection, frame: Frame): void {
    const { shown } = connection;
    connection.shown = frame.kind === "preview" ? frame.batch : undefined;
    if (frame.kind === "correction" && frame.batch !== shown)
      this.#violate("corrected", `correction ${frame.batch} follows preview ${shown} at ${connection.url}`);
    if (frame.kind !== "correction" && shown !== undefined)
      this.#violate("corrected", `${frame.kind} follows preview ${shown} at ${connection.url}`);
  }
}
