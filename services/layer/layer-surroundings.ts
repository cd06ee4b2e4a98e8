import type { Standing } from "../../shared/delivery/standing.ts";
import type { BarrierFrame, LayerReport, SavedLayer, TestResult } from "../../shared/wire/frames.ts";
import type { PoisonError } from "./poison-error.ts";

/** What a layer's service needs done outside: disk, log, and the end of the process. */
export interface LayerSurroundings {
  /** A batch is about to be applied, and nothing of it was sent yet; so many targets are learnt. */
  applies(batch: number, learnt: number): void;
  /** A batch was applied. */
  applied(cursor: number): void;
  /** What a checkpoint must hold of delivery from now on. */
  stands(standing: Standing): void;
  /** Save this very state; calls back when it is durable, or failed. */
  checkpoint(onOver: () => void): void;
  /** End this life: the next begins with a checkpoint from which `batch` can be repeated. */
  goBack(batch: number): void;
  /** Save the end of the run; calls back when it is durable, and not at all if that fails. */
  saveFinal(onDurable: () => void): void;
  /** Save this layer's share of the snapshot, as it is now; calls back when it is durable, if it ever is. */
  saveSnapshot(barrier: BarrierFrame, onDurable: (saved: SavedLayer) => void): void;
  report(): LayerReport;
  evaluated(batch: number, test: TestResult): void;
  held(): void;
  resumed(): void;
  /** All layers have finished: pass the release on, and leave. */
  released(): void;
  /** Its numbers ran away in the middle of something: nothing it holds may be saved, and it does nothing more. */
  poisoned(error: PoisonError): void;
}
