import type { FrameEnds } from "./frame-ends.ts";

/** Read at once where a frame begins: little enough to stay in the cache of one core, and two frames of 64 KiB. */
const READ_BYTES = 128 * 1024;

/**
 * The memory that the frames of one connection are read into, one over the other. Left to itself, Node reads each piece
 * into memory of its own and ws joins them in yet another, all of it outside the heap: that takes longer to allocate, to
 * touch and to collect than to copy, and makes the collector go through the whole heap several times a second.
 */
export class ReadRoom {
  readonly #ends: FrameEnds;
  readonly #room: Buffer;
  /** What was read and not given out lies from here … */
  #from = 0;
  /** … to here: a frame that is not whole yet. */
  #to = 0;

  /** `ends` has followed all that came before, for payloads of at most `most` bytes. */
  constructor(ends: FrameEnds, most: number) {
    this.#ends = ends;
    this.#room = Buffer.allocUnsafeSlow(READ_BYTES + most);
  }

  /** Where the next bytes go; never empty. What was lent is taken back. */
  space(): Buffer {
    const { owed } = this.#ends;
    // Else the frame ends where it lies: its header is within READ_BYTES, and the payload fits behind.
    if (this.#from === this.#to || owed === 0) this.#moveToFront();
    const most = owed > 0 ? Math.min(owed, this.#room.length - this.#to) : READ_BYTES - this.#to;
    return this.#room.subarray(this.#to, this.#to + most);
  }

  /**
   * To be called when `count` bytes were read into the space: what there is to hand on, if anything. Frames of ours are
   * lent, whole, until the next space(). Foreign ones are copied, in the pieces they come in: their reader may keep them.
   */
  take(count: number): Buffer | undefined {
    const end = this.#ends.follow(this.#room, this.#to, this.#to + count);
    const isEnded = end > this.#to;
    this.#to += count;
    const until = this.#ends.owesForeign ? this.#to : isEnded ? end : this.#from;
    if (until === this.#from) return undefined;
    const bytes = this.#room.subarray(this.#from, until);
    this.#from = until;
    return this.#ends.metForeign ? Buffer.from(bytes) : bytes;
  }

  #moveToFront(): void {
    this.#room.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
  }
}
