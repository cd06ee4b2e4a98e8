import type { Duplex } from "node:stream";
import { FrameEnds } from "./frame-ends.ts";
import { ReadRoom } from "./read-room.ts";

/**
 * What net.Socket keeps its documented option `onread` in. A socket that a server accepted, and one that ws dialled
 * through HTTP, is made without that option, and there is no other way to give it one.
 */
const PARTS = ["kBuffer", "kBufferCb", "kBufferGen"] as const;

interface Handle {
  /** Reads into this memory from now on, instead of a new piece each time. */
  useUserBuffer(bytes: Uint8Array): void;
}

/**
 * Follows a connection from its first byte after the upgrade. Calling the result has what comes from then on read into one
 * room, again and again: "data" is then whole frames of ours, lent until its listeners return. Where Node has changed so
 * that this cannot be done, it reads as it always does.
 */
export function followReads(socket: Duplex, maxFrameBytes: number): () => void {
  const ends = new FrameEnds(maxFrameBytes);
  let isOurs = false;
  // Not only until then: what Node had already read still comes in its own pieces, before anything of ours.
  socket.prependListener("data", (bytes: Buffer) => {
    if (!isOurs) ends.follow(bytes);
  });
  return () => {
    const room = new ReadRoom(ends, maxFrameBytes);
    const hand = (count: number) => {
      const bytes = room.take(count);
      isOurs = true;
      if (bytes) socket.emit("data", bytes);
      isOurs = false;
    };
    readInto(socket, () => room.space(), hand);
  };
}

function readInto(socket: Duplex, space: () => Buffer, onRead: (count: number) => void): void {
  const { _handle: handle } = socket as Duplex & { _handle?: Partial<Handle> };
  const symbols = Object.getOwnPropertySymbols(socket);
  const [first, callback, generator] = PARTS.map((name) => symbols.find((each) => each.description === name));
  if (!first || !callback || !generator || typeof handle?.useUserBuffer !== "function") return;
  const bytes = space();
  Object.assign(socket, { [first]: bytes, [callback]: onRead, [generator]: space });
  handle.useUserBuffer(bytes);
}
