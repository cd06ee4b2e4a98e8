// The build without code generation: it has neither `new Function`, which records would reach, nor the native
// string reader, which reads past the end of a message (msgpackr issue 193).
import { Packr, Unpackr } from "msgpackr/index-no-eval";
import { FrameError } from "./frame-error.ts";
import type { Frame } from "./frames.ts";
import { readFrame } from "./read-frame.ts";
import { scan } from "./scan.ts";

/** No valid frame without tensors is longer: the scan bounds their values, the readers their strings. */
export const CONTROL_FRAME_BYTES = 16 * 1024;

export interface DecodeLimits {
  /** Longest frame, tensors included. */
  readonly maxFrameBytes: number;
}

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: "number" });

/** One MessagePack map. The bytes are a copy, and stay as they are whatever is encoded after them. */
export function encode(frame: Frame): Buffer {
  return packr.pack(frame);
}

/**
 * The frame in these bytes, every field checked against PROTOCOL.md. Throws a FrameError with a one-line reason and
 * nothing else, whatever the bytes. Tensor data aliases `bytes`, at any offset.
 */
export function decode(bytes: Uint8Array, limits: DecodeLimits): Frame {
  refuseLonger(bytes, limits.maxFrameBytes);
  scan(bytes);
  return readFrame(unpack(bytes));
}

function unpack(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes);
  } catch (error) {
    throw new FrameError(
      `Cannot read frame: ${error instanceof Error ? error.message : "it does not decode"}`,
    );
  }
}

function refuseLonger(bytes: Uint8Array, most: number): void {
  if (bytes.length > most) {
    throw new FrameError(`Cannot read frame: it has ${bytes.length} bytes, at most ${most} are allowed`);
  }
}
