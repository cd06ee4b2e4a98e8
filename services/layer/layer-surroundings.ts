import type { BarrierFrame, LayerReport, SavedLayer, TestResult } from "../../shared/wire/frames.ts";
import type { PoisonError } from "./layer-work.ts";

/** What a layer's service needs done outside: disk, log, and the end of the process. */
export interface LayerSurroundings {
  /** A batch was applied; save now and then. */
  applied(cursor: number): void;
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
