import type { Duplex } from "node:stream";
import { MOST_STRANGERS, STRANGER_BYTES } from "./limits.ts";

/** What a stranger's connection can be told to do. */
interface Stranger {
  /** The deadline has passed. */
  readonly expire: () => void;
  /** Somebody newer needs the room. */
  readonly cut: () => void;
  readonly deadline: NodeJS.Timeout;
}

/**
 * The connections to a listener that have not been welcomed, from the first packet on. Each has one deadline for
 * all of its handshake, however it dawdles; beyond MOST_STRANGERS the one that has dawdled longest goes. So hundreds of
 * silent sockets cost a true neighbour nothing: it is welcomed within milliseconds, and the sockets that go are older.
 */
export class PendingConnections {
  readonly #handshakeMs: number;
  /** In order of arrival. The key is the other end's address, which TLS and the TCP under it share. */
  readonly #known = new Map<string, Stranger>();

  constructor(handshakeMs: number) {
    this.#handshakeMs = handshakeMs;
  }

  /** A connection has begun, or come further: then neither its place nor its deadline changes, but how it is ended. */
  meet(key: string, expire: () => void, cut: () => void): void {
    const deadline =
      this.#known.get(key)?.deadline ?? setTimeout(() => this.#known.get(key)?.expire(), this.#handshakeMs);
    this.#known.set(key, { expire, cut, deadline });
    if (this.#known.size > MOST_STRANGERS) this.#cutOldest();
  }

  /** It is welcome, or gone. */
  forget(key: string): void {
    clearTimeout(this.#known.get(key)?.deadline);
    this.#known.delete(key);
  }

  #cutOldest(): void {
    const [key, { cut }] = this.#known.entries().next().value!;
    this.forget(key);
    cut();
  }
}

/**
 * Counts what arrives, before anybody reads it, and calls `tooMany` once when that is more than any handshake
 * takes. Returns how to stop counting.
 */
export function boundBytes(
  socket: Duplex,
  tooMany: (reason: string) => void,
  most = STRANGER_BYTES,
): () => void {
  let left = most;
  const count = (bytes: Buffer) => {
    left -= bytes.length;
    if (left >= 0) return;
    stop();
    tooMany(`more than ${most} bytes before the welcome`);
  };
  const stop = () => void socket.off("data", count);
  socket.prependListener("data", count);
  return stop;
}
