/** How one direction of a connection fares. */
export interface Conditions {
  /** From taking a byte to giving it. */
  readonly latencyMs: number;
  /** Up to so much more, drawn anew for every piece; bytes never overtake each other. */
  readonly jitterMs: number;
  /** Rate of the wire; Infinity: no limit. */
  readonly bytesPerSecond: number;
  /** Most bytes given at once; Infinity: as they came. */
  readonly sliceBytes: number;
  /** Chance of a byte to arrive with one bit flipped. */
  readonly corruptPerByte: number;
  /** After exactly so many bytes of a connection it is reset; Infinity: never. */
  readonly resetAfterBytes: number;
  /** Nothing arrives, not even an end: the other side is half-open. Afterwards all goes on where it stopped. */
  readonly blackHole: boolean;
}

export const ideal: Conditions = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: Number.POSITIVE_INFINITY,
  corruptPerByte: 0,
  resetAfterBytes: Number.POSITIVE_INFINITY,
  blackHole: false,
};

/** What travels: bytes, the end of the stream, or the connection's sudden death. */
export type Item = Uint8Array | "end" | "reset";

/**
 * One direction of one connection, on paper: items go in at a time and come out at another, in order. Conditions are
 * asked for at every step, so they may change while bytes are on their way: what waits for the wire feels it, what
 * flies already does not. Times are milliseconds of any steady clock; `random` gives [0, 1).
 */
export class Lane {
  readonly #conditions: () => Conditions;
  readonly #random: () => number;
  /** For their turn on the wire. */
  readonly #waiting: { readonly item: Item; readonly at: number }[] = [];
  readonly #flying: { readonly item: Item; readonly due: number }[] = [];
  #bytes = 0;
  #taken = 0;
  #wireFreeAt = Number.NEGATIVE_INFINITY;
  #lastDue = Number.NEGATIVE_INFINITY;
  #isOver = false;
  #flip: { readonly chance: number; after: number } | undefined;

  constructor(conditions: () => Conditions, random: () => number) {
    this.#conditions = conditions;
    this.#random = random;
  }

  /** Bytes in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Flips bits in `item` itself where it is to arrive corrupted. Nothing follows an end or a reset. */
  push(item: Item, now: number): void {
    if (this.#isOver) return;
    if (typeof item === "string") return this.#close(item, now);
    const { resetAfterBytes } = this.#conditions();
    const room = Math.max(0, resetAfterBytes - this.#taken);
    this.#pushBytes(item.subarray(0, room), now);
    if (item.length >= room) this.#close("reset", now);
  }

  /** The next item that has arrived by now. */
  take(now: number): Item | undefined {
    this.#depart(now);
    const next = this.#flying[0];
    if (!next || next.due > now || this.#conditions().blackHole) return undefined;
    this.#flying.shift();
    if (typeof next.item !== "string") this.#bytes -= next.item.length;
    return next.item;
  }

  /** When to look again, unless conditions change or something is pushed before. */
  get nextAt(): number | undefined {
    if (this.#conditions().blackHole) return undefined;
    const flying = this.#flying[0]?.due;
    const waiting = this.#waiting[0];
    if (!waiting) return flying;
    return Math.min(flying ?? Number.POSITIVE_INFINITY, this.#departure(waiting.at));
  }

  #close(item: "end" | "reset", at: number): void {
    this.#isOver = true;
    this.#waiting.push({ item, at });
  }

  #pushBytes(bytes: Uint8Array, at: number): void {
    this.#corrupt(bytes);
    this.#taken += bytes.length;
    this.#bytes += bytes.length;
    const most = this.#pieceBytes();
    for (let from = 0; from < bytes.length; from += most) {
      this.#waiting.push({ item: bytes.subarray(from, from + most), at });
    }
  }

  /** On a slow wire at most 10 ms worth of it, so that long chunks trickle. */
  #pieceBytes(): number {
    const { sliceBytes, bytesPerSecond } = this.#conditions();
    return Math.max(1, Math.floor(Math.min(sliceBytes, bytesPerSecond / 100)));
  }

  #departure(at: number): number {
    return Math.max(at, this.#wireFreeAt);
  }

  #depart(now: number): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const departure = this.#departure(next.at);
      if (departure > now) return;
      this.#waiting.shift();
      this.#fly(next.item, departure);
    }
  }

  #fly(item: Item, departure: number): void {
    const { latencyMs, jitterMs, bytesPerSecond } = this.#conditions();
    const length = typeof item === "string" ? 0 : item.length;
    this.#wireFreeAt = departure + (1000 * length) / bytesPerSecond;
    const due = this.#wireFreeAt + latencyMs + (jitterMs > 0 ? jitterMs * this.#random() : 0);
    this.#lastDue = Math.max(this.#lastDue, due);
    this.#flying.push({ item, due: this.#lastDue });
  }

  // Counted in bytes from flip to flip: which bytes are hit does not depend on the chunks they came in.
  #corrupt(bytes: Uint8Array): void {
    const { corruptPerByte: chance } = this.#conditions();
    if (chance <= 0) return;
    if (this.#flip?.chance !== chance) this.#flip = { chance, after: this.#gap(chance) };
    const flip = this.#flip;
    while (flip.after < bytes.length) {
      bytes[flip.after]! ^= 1 << Math.floor(this.#random() * 8);
      flip.after += 1 + this.#gap(chance);
    }
    flip.after -= bytes.length;
  }

  /** Bytes spared before the next one that is hit. */
  #gap(chance: number): number {
    return chance >= 1 ? 0 : Math.floor(Math.log(1 - this.#random()) / Math.log(1 - chance));
  }
}
