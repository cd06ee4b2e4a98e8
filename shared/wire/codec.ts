// The build without code generation: it has neither `new Function`, which records would reach, nor the native
// string reader, which reads past the end of a message (msgpackr issue 193).
import { Packr, Unpackr } from "msgpackr/index-no-eval";
import { FrameError } from "./frame-error.ts";
import type { Frame, Tensor } from "./frames.ts";
import { readFrame } from "./read-frame.ts";
import { scan } from "./scan.ts";

/** No frame without tensors is longer: one that tells of MOST_LAYERS has some 120 KB. */
export const CONTROL_FRAME_BYTES = 256 * 1024;

/** For what surrounds tensors, and for all frames that tell of no list. */
const ENVELOPE_BYTES = 4 * 1024;
/** For one entry of a list: a digest, some numbers and their names. */
const ENTRY_BYTES = 256;

export interface DecodeLimits {
  /** Longest frame, tensors included. */
  readonly maxFrameBytes: number;
}

/** How the messages of one link become what a socket sends, bytes or text, and the other way round. */
export interface Codec<Said = Frame, Heard = Said> {
  encode(message: Said): Buffer | string;
  /** Throws a FrameError. */
  decode(bytes: Buffer, isBinary: boolean): Heard;
  /** Bytes that `encode` gave have left this process: another message may be written over them. */
  reuse?(bytes: Buffer | string): void;
}

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: "number" });

/** Bytes that are enough to encode the frame in. */
function roomFor(frame: Frame): number {
  return ENVELOPE_BYTES + tensorBytes(frame) + ENTRY_BYTES * entriesOf(frame);
}

function entriesOf(frame: Frame): number {
  switch (frame.kind) {
    case "finished":
      return frame.reports.reduce((sum, { applied }) => sum + 1 + applied.length, 0);
    case "snapshot":
      return frame.saved.length;
    case "barrier":
      return frame.kept.length;
    default:
      return 0;
  }
}

function tensorBytes(frame: Frame): number {
  switch (frame.kind) {
    case "activation":
      return bytesOf(frame.activation) + bytesOf(frame.labels) + bytesOf(frame.input);
    case "preview":
      return bytesOf(frame.labels) + bytesOf(frame.input);
    case "correction":
    case "question":
      return bytesOf(frame.activation);
    case "gradient":
      return bytesOf(frame.gradient);
    default:
      return 0;
  }
}

function bytesOf(tensor: Tensor | undefined): number {
  return tensor ? tensor.data.length + (tensor.scales?.length ?? 0) : 0;
}

/** One MessagePack map, a copy of the frame. */
export function encode(frame: Frame): Buffer {
  // Left to itself the packer allocates four times the size of every tensor.
  packr.useBuffer(Buffer.allocUnsafeSlow(roomFor(frame)));
  return packr.pack(frame);
}

/**
 * The frame in these bytes, every field checked against PROTOCOL.md. Throws a FrameError with a one-line reason
 * and nothing else, whatever the bytes. Tensor data aliases `bytes`, at any offset.
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
