import { type Codec, type DecodeLimits, decode, encode } from "../codec.ts";
import { FrameError } from "../frame-error.ts";
import type { Frame } from "../frames.ts";
import { isSteady, Layout } from "./layout.ts";

/** What is under way besides is bounded by the window. */
const MOST_SPARE = 4;

type Layouts = Map<Frame["kind"], Layout>;

/**
 * As `encode` and `decode` for the frames of one link, in less time where a frame is like the last of its kind.
 */
export class FastCodec implements Codec {
  readonly #limits: DecodeLimits;
  /** At most one for each kind, as are those written. */
  readonly #read: Layouts = new Map();
  readonly #written: Layouts = new Map();
  /** Memory of frames that are gone, oldest first. */
  readonly #spare: Buffer[] = [];

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  /** Throws an Error, where it looks, at a frame that no peer would read. */
  encode(frame: Frame): Buffer {
    const layout = this.#written.get(frame.kind);
    if (layout?.holds(frame)) return layout.write(frame, this.#take(layout.length));
    const bytes = encode(frame);
    if (isSteady(frame)) remember(this.#written, readBack(bytes), bytes);
    return bytes;
  }

  reuse(bytes: Buffer): void {
    this.#spare.push(bytes);
    if (this.#spare.length > MOST_SPARE) this.#spare.shift();
  }

  decode(bytes: Uint8Array, isBinary = true): Frame {
    if (!isBinary) throw new FrameError("Cannot read frame: it is text, expected binary");
    for (const layout of this.#read.values()) {
      const frame = layout.read(bytes);
      if (frame) return frame;
    }
    const frame = decode(bytes, this.#limits);
    remember(this.#read, frame, bytes);
    return frame;
  }

  #take(length: number): Buffer {
    const at = this.#spare.findIndex((bytes) => bytes.length === length);
    return at < 0 ? Buffer.allocUnsafeSlow(length) : this.#spare.splice(at, 1)[0]!;
  }
}

function remember(layouts: Layouts, frame: Frame, bytes: Uint8Array): void {
  const layout = Layout.of(frame, bytes);
  if (layout) layouts.set(frame.kind, layout);
}

/** What is wrong with it is ours: a FrameError would blame the peer that is being listened to. */
function readBack(bytes: Buffer): Frame {
  try {
    return decode(bytes, { maxFrameBytes: bytes.length });
  } catch (error) {
    throw new Error(`Cannot write frame: ${(error as Error).message}`, { cause: error });
  }
}
