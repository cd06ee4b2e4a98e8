import type { ClientRequest, ServerOptions as HttpServerOptions } from "node:http";
import type { LookupFunction } from "node:net";
import type { ClientOptions, ServerOptions } from "ws";
import { CONTROL_FRAME_BYTES } from "../wire/codec.ts";
import { sharedLookups } from "./lookup.ts";

/** No frame is longer, whatever the config says. */
export const LARGEST_FRAME_BYTES = 64 * 1024 * 1024;

/** For what surrounds the tensors of a frame. */
const ENVELOPE_BYTES = 4 * 1024;

/** All connections of a listener; beyond it the system refuses. */
export const MOST_CONNECTIONS = 128;

/** Those that have not been welcomed yet; beyond it the oldest goes. */
export const MOST_STRANGERS = 32;

/** What a peer may send before it is welcomed, in all: a hello is a few hundred bytes. */
export const STRANGER_BYTES = 16 * 1024;

/** How long a peer may take to answer a close before its socket is destroyed. */
const CLOSE_TIMEOUT_MS = 2000;

/**
 * How long a machine may take to accept a connection, which its kernel does however busy it is; one lost packet is sent again
 * after a second. A machine that is gone says nothing, and its name may lead to another one at the next attempt.
 */
const CONNECT_MS = 1500;

/** The same for one that was never welcomed: it has had the handshake time already. */
export const STRANGER_CLOSE_MS = 500;

/**
 * The longest frame that carries `floatsPerExample` (of activation, labels and input together, or of the gradient)
 * for one batch, in the longest dtype; the scales of i8 are one float more for each example. Throws a RangeError
 * where that exceeds what any link allows.
 */
export function frameBytes(batchSize: number, floatsPerExample: number): number {
  const bytes = Math.max(batchSize * (floatsPerExample + 1) * 4 + ENVELOPE_BYTES, CONTROL_FRAME_BYTES);
  if (bytes <= LARGEST_FRAME_BYTES) return bytes;
  throw new RangeError(
    `Cannot send ${batchSize} examples of ${floatsPerExample} floats: ${bytes} bytes a frame, at most ${LARGEST_FRAME_BYTES}`,
  );
}

/** Options that ws 8.23 has, or hands on to Node, and its type declarations lack. */
interface NewerOptions {
  readonly lookup?: LookupFunction;
  readonly closeTimeout: number;
  readonly maxPendingAutoPongs: number;
}

function socketOptions(maxFrameBytes: number) {
  return {
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    // Peers do not fragment; a few fragments are forgiven, thousands are an attack on memory.
    maxFragments: 8,
    maxBufferedChunks: mostPieces(maxFrameBytes),
    // A flood of pings from a peer that reads no pongs would queue them without end.
    maxPendingAutoPongs: 8,
    closeTimeout: CLOSE_TIMEOUT_MS,
    skipUTF8Validation: false,
    // Frames are handed over within the read that brought them, in order; the window bounds how many that can be.
    allowSynchronousEvents: true,
  };
}

/**
 * The pieces that a frame may arrive in: a frame of 32 KiB byte by byte, as through a very bad network, and the
 * longest in full network packets. Each costs some 800 bytes until the frame is whole.
 */
function mostPieces(maxFrameBytes: number): number {
  return 64 + Math.max(Math.min(maxFrameBytes, 32 * 1024), Math.ceil(maxFrameBytes / 512));
}

const lookup = sharedLookups();

export function dialOptions(maxFrameBytes: number, handshakeMs: number): ClientOptions & NewerOptions {
  // Without a timeout, dialling a stopped process never ends.
  return {
    ...socketOptions(maxFrameBytes),
    handshakeTimeout: handshakeMs,
    followRedirects: false,
    lookup,
    finishRequest: (request) => {
      boundConnecting(request);
      request.end();
    },
  };
}

function boundConnecting(request: ClientRequest): void {
  const giveUp = () => request.destroy(new Error(`no connection within ${CONNECT_MS} ms`));
  const timer = setTimeout(giveUp, CONNECT_MS);
  request.once("socket", (socket) => socket.once("connect", () => clearTimeout(timer)));
  request.once("close", () => clearTimeout(timer));
}

export function acceptOptions(maxFrameBytes: number): ServerOptions & NewerOptions {
  return { ...socketOptions(maxFrameBytes), noServer: true, clientTracking: true };
}

/** Node's own defaults let a slow request stay for five minutes. The strangers' deadline is before these. */
export function httpOptions(handshakeMs: number): HttpServerOptions {
  return {
    headersTimeout: handshakeMs,
    requestTimeout: handshakeMs,
    connectionsCheckingInterval: Math.min(1000, Math.ceil(handshakeMs / 2)),
    maxHeaderSize: 8192,
  };
}
