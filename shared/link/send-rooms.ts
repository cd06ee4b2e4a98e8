/** Kept for the next frames; what is under way besides is bounded by the window. */
const MOST_KEPT = 4;

/**
 * The memory that frames are encoded in before they go out. To allocate it anew for every frame costs as much as to
 * copy the tensors into it, and fills the heap with garbage that a collection has to find.
 */
export class SendRooms {
  readonly #kept: Buffer[] = [];

  /** At least `bytes` long; nobody else's until it is given back, and garbage if it never is. */
  take(bytes: number): Buffer {
    const room = this.#kept.pop();
    return room !== undefined && room.length >= bytes ? room : Buffer.allocUnsafeSlow(bytes);
  }

  /** When the network has taken what is in it. */
  give(room: Buffer): void {
    if (this.#kept.length < MOST_KEPT) this.#kept.push(room);
  }
}
