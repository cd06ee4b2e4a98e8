import type { Kernels } from "../../shared/math/kernels.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { hasNextLife } from "../worker/exit.ts";
import { LayerProcess } from "./layer-process.ts";
import type { LayerStart } from "./startup.ts";

/** So often in a row it goes back and tries more slowly, before it gives up. */
export const MOST_ROLLBACKS = 3;
/**
 * Batches beyond the last trouble after which a new one is another story, and the next life is at full speed
 * again.
 */
const CALM_BATCHES = 1000;

/**
 * One life of a layer after another in one process. A layer whose numbers run away ends as if it had crashed; the
 * next one begins with the last checkpoint, which is sane, and learns at half the rate.
 */
export class LayerRunner {
  #layer: LayerProcess | undefined;
  #stopping: string | undefined;

  /**
   * The exit code. Rejects if it cannot ever start. `newKernels`: a memory of its own for a life after the first, since what
   * a life allocates is never taken back.
   */
  async run(start: LayerStart, newKernels: () => Kernels): Promise<number> {
    let { port } = start.options;
    let { kernels } = start.environment;
    let troubledAt = Number.NEGATIVE_INFINITY;
    let rollbacks = 0;
    let reach: number | undefined;
    for (;;) {
      const environment = { ...start.environment, kernels };
      const options = { ...start.options, port };
      const layer = await LayerProcess.start({ ...start, options, environment }, rollbacks, reach);
      const { worker } = layer;
      // Neighbours look for it where it was.
      port = worker.port;
      this.#layer = layer;
      if (this.#stopping !== undefined) void worker.stop(this.#stopping);
      const ending = await worker.ended;
      if (!hasNextLife(ending)) return ending;
      kernels = newKernels();
      reach = layer.reach;
      if (ending === "going back") continue;
      reach = reachAfterPoison(layer);
      if (layer.cursor > troubledAt + CALM_BATCHES) rollbacks = 0;
      troubledAt = Math.max(troubledAt, layer.cursor);
      if (rollbacks === MOST_ROLLBACKS) {
        worker.log.error(
          { batch: layer.cursor, rollbacks },
          "gave up: its numbers run away, however slowly it learns",
        );
        return ExitCode.gaveUp;
      }
      worker.log.error({ batch: layer.cursor, halvings: rollbacks + 1 }, "rolling back to learn more slowly");
      rollbacks += 1;
    }
  }

  /** At once, or as soon as there is a layer. */
  stop(why: string): void {
    this.#stopping = why;
    void this.#layer?.worker.stop(why);
  }
}

/** Where it learnt nothing since its checkpoint, that one is no sane state: the next life begins with an earlier one. */
function reachAfterPoison({ cursor, beganAt, worker }: LayerProcess): number | undefined {
  if (cursor !== beganAt.cursor) return undefined;
  worker.log.warn({ batch: cursor }, "going back");
  return beganAt.firstSent - 1;
}
