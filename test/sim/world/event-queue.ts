export type SimulatedRandom = () => number;

/** xorshift32: small, seeded, and none of the code under test. */
export function simulatedRandom(seed: number): SimulatedRandom {
  let state = Math.imul(seed, 2654435761) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  // The first numbers of neighbouring seeds resemble each other.
  for (let i = 0; i < 16; i++) next();
  return next;
}

interface Entry {
  readonly time: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time: a binary heap of what happens when; ties in the order they were planned. */
export class EventQueue {
  now = 0;
  private readonly heap: Entry[] = [];
  private planned = 0;

  after(delay: number, run: () => void): void {
    this.heap.push({ time: this.now + delay, order: this.planned++, run });
    this.rise(this.heap.length - 1);
  }

  /** Runs the next event; false if there is none. */
  next(): boolean {
    const first = this.heap[0];
    if (!first) return false;
    const last = this.heap.pop()!;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.sink(0);
    }
    this.now = first.time;
    first.run();
    return true;
  }

  private before(a: number, b: number): boolean {
    const [x, y] = [this.heap[a]!, this.heap[b]!];
    return x.time < y.time || (x.time === y.time && x.order < y.order);
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b]!, this.heap[a]!];
  }

  private rise(start: number): void {
    for (let child = start; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.before(child, parent)) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  private sink(start: number): void {
    for (let parent = start; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      let least = parent;
      if (left < this.heap.length && this.before(left, least)) least = left;
      if (right < this.heap.length && this.before(right, least)) least = right;
      if (least === parent) return;
      this.swap(parent, least);
      parent = least;
    }
  }
}
