import type { CheckpointChecks } from "./checks/checkpoint-checks.ts";
import type { ProcessLife } from "./process-life.ts";
import type { SimulatedDisk } from "./world/simulated-disk.ts";

/** One place for a process: its disk, and whoever has lived there. */
export class Machine {
  readonly name: string;
  /** 0 for the source. */
  readonly layer: number;
  readonly disk: SimulatedDisk;
  readonly checkpoints: CheckpointChecks;
  /** How many targets it had learnt before each batch, as it is written: a power cut takes it. */
  order: (number | undefined)[] = [];
  /** See WorkChecks. */
  readonly lostTargets: number[] = [];
  /** Newest last. */
  readonly lives: ProcessLife[] = [];
  hasFinished = false;
  /** Its weights run away at the next update. */
  isPoisoned = false;

  constructor(name: string, layer: number, disk: SimulatedDisk, checkpoints: CheckpointChecks) {
    this.name = name;
    this.layer = layer;
    this.disk = disk;
    this.checkpoints = checkpoints;
  }

  /** The last started that lives. */
  get alive(): ProcessLife | undefined {
    return this.lives.findLast(({ life }) => life.isAlive);
  }
}
