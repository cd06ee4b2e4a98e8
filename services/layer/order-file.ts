import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import {
  ENTRY_BYTES,
  followable,
  orderEntry,
  orderPath,
  readOrder,
} from "../../shared/record/order-record.ts";

interface Log {
  warn(fields: object, text: string): void;
}

/**
 * Writes down, before anything of a batch is sent, how many targets a layer has learnt. Not synced: what a process has
 * written outlives it, but not a power cut.
 */
export class OrderFile {
  readonly #state: string;
  readonly #path: string;
  readonly #log: Log;
  readonly #entry = Buffer.alloc(ENTRY_BYTES);
  #file: number | undefined;
  /** Batches below this were applied before, in this life or an earlier one. */
  #end = 0;
  #hasFailed = false;

  constructor(state: string, log: Log) {
    this.#state = state;
    this.#path = orderPath(state);
    this.#log = log;
  }

  /** Of a disk that is full it is said once: training is not to end for it. */
  note(batch: number, learnt: number): boolean {
    if (this.#hasFailed) return false;
    try {
      this.#file ??= this.#open();
      this.#entry.writeUInt32LE(orderEntry(learnt, batch < this.#end));
      writeSync(this.#file, this.#entry, 0, ENTRY_BYTES, batch * ENTRY_BYTES);
      this.#end = Math.max(this.#end, batch + 1);
      return true;
    } catch (error) {
      this.#hasFailed = true;
      this.#log.warn(
        { err: error, batch },
        "cannot write the order of learning: this run cannot be replayed",
      );
      this.close();
      return false;
    }
  }

  /** See Order. */
  since(batch: number): (number | undefined)[] {
    return followable(readOrder(this.#state)?.learnt ?? [], batch);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    const file = openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o666);
    this.#end = Math.floor(fstatSync(file).size / ENTRY_BYTES);
    return file;
  }
}
