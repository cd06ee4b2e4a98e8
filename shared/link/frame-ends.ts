/** FIN, no extension, opcode 2: a binary message in one frame, as all of ours are. */
const WHOLE_BINARY = 0x82;
const LONGEST_HEADER_BYTES = 14;

/**
 * Follows the bytes of a WebSocket connection, from its first one on, and knows where frames end. It refuses nothing: a
 * frame of another kind than ours, or too long, is `foreign`, and for whoever reads the frames to judge.
 */
export class FrameEnds {
  readonly #most: number;
  readonly #header = Buffer.alloc(LONGEST_HEADER_BYTES);
  #headerBytes = 0;
  #owed = 0;
  #isForeign = false;
  #metForeign = false;

  /** `most`: the longest payload to expect. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes of a payload that are still to come; 0 between frames, and within a header. */
  get owed(): number {
    return this.#owed;
  }

  /** Whether those are of a foreign frame. */
  get owesForeign(): boolean {
    return this.#owed > 0 && this.#isForeign;
  }

  /** Whether any byte followed last was of a foreign frame. */
  get metForeign(): boolean {
    return this.#metForeign;
  }

  /** Follows bytes[from] … bytes[to − 1]; the index after the last frame that ends there, `from` if none does. */
  follow(bytes: Uint8Array, from = 0, to = bytes.length): number {
    this.#metForeign = this.owesForeign;
    let end = from;
    for (let at = from; at < to; ) {
      if (this.#owed > 0) {
        const step = Math.min(this.#owed, to - at);
        this.#owed -= step;
        at += step;
      } else if (!this.#beginsPayload(bytes[at++]!)) continue;
      if (this.#owed === 0) end = at;
    }
    return end;
  }

  /** Whether this byte is the last one of its header. */
  #beginsPayload(byte: number): boolean {
    const header = this.#header;
    header[this.#headerBytes++] = byte;
    if (this.#headerBytes < 2) return false;
    const [kind, sizes] = header as unknown as [number, number];
    const short = sizes & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskBytes = sizes & 0x80 ? 4 : 0;
    if (this.#headerBytes < 2 + lengthBytes + maskBytes) return false;
    this.#headerBytes = 0;
    this.#owed = lengthBytes === 0 ? short : bigEndian(header, 2, lengthBytes);
    this.#isForeign = kind !== WHOLE_BINARY || this.#owed > this.#most;
    this.#metForeign ||= this.#isForeign;
    return true;
  }
}

/** Rounded beyond 2^53, where no length is right. */
function bigEndian(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i++) value = value * 256 + bytes[i]!;
  return value;
}
