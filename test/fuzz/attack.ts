import type { Socket } from "node:net";
import { decode } from "../../shared/wire/codec.ts";
import type { Frame, HelloFrame } from "../../shared/wire/frames.ts";
import { greetHead, ringsActivation, ringsHello } from "../support/head-peer.ts";
import { hostileFrames } from "../support/hostile/hostile-frames.ts";
import { hostileRequests } from "../support/hostile/hostile-requests.ts";
import { hostileWebSocket } from "../support/hostile/hostile-websocket.ts";
import type { DirectRun } from "../support/processes/direct-run.ts";
import { clientFrame } from "../support/raw-frames.ts";
import { RawPeer, rawSocket } from "../support/raw-peer.ts";
import { prove } from "../support/secrets/prove.ts";
import { Mutants } from "./mutants.ts";

/** What came of one connection. */
export interface Volley {
  /** Of what it was. */
  readonly what: string;
  /** From sending to having been hung up on: what is still on its way then, goes nowhere. */
  readonly tookMs: number;
}

/** The opcode of a frame of ours. */
const BINARY = 2;
/** Codes of the protocol, and of a connection that went, or carried too much. */
const EXPECTED = [1006, 1009, ...Array.from({ length: 100 }, (_, index) => 4400 + index)];

/**
 * All that is hostile, at a real head of two rings that needs batch `need`: from strangers, and from its proved predecessor.
 * Rejects where the head does anything but hang up.
 */
export class Attack {
  readonly #run: DirectRun;
  readonly #port: number;
  readonly #need: number;
  readonly #greeting: HelloFrame;
  readonly #unproved: Mutants;
  readonly #proved: Mutants;
  readonly #strangers: number;
  readonly #heard: (volley: Volley) => void;

  /** `strangers`: so many at once. */
  constructor(
    run: DirectRun,
    target: { readonly port: number; readonly need: number; readonly strangers: number },
    heard: (volley: Volley) => void,
  ) {
    this.#run = run;
    this.#port = target.port;
    this.#need = target.need;
    this.#strangers = target.strangers;
    this.#greeting = ringsHello(run);
    this.#unproved = new Mutants(1, [
      this.#greeting,
      ringsActivation(target.need),
      { kind: "end", batches: 1500 },
    ]);
    this.#proved = new Mutants(2, framesOfLayer2(target.need));
    this.#heard = heard;
  }

  /** Half of them from strangers; every other of these has a wrong secret as well. */
  async mutants(count: number): Promise<void> {
    for (let made = 0; made < count / 2; made += this.#strangers) {
      await Promise.all(
        Array.from({ length: this.#strangers }, async (_, index) => {
          const peer = await this.#stranger();
          const hello = prove(this.#greeting, peer.challenge.nonce, "not the secret of this run");
          if ((made + index) % 2 === 0) peer.send(hello);
          await this.#hangsUp("a mutant of a stranger", peer, this.#unproved.next());
        }),
      );
    }
    for (let made = 0; made < count / 2; made++)
      await this.#hangsUp("a mutant of the predecessor", await this.#predecessor(), this.#nextHarmful());
  }

  /** Frames that no encoder makes. */
  async frames(): Promise<void> {
    for (const [name, frame] of hostileFrames) await this.#write(name, clientFrame(BINARY, frame));
  }

  /** Bytes that are no WebSocket. */
  async webSockets(): Promise<void> {
    for (const [name, bytes] of hostileWebSocket) await this.#write(name, bytes);
  }

  /** What is no request for a WebSocket. */
  async requests(): Promise<void> {
    for (const [name, request, answer] of hostileRequests) {
      const { socket, heard } = await rawSocket(this.#port);
      socket.on("data", () => socket.end());
      const startedAt = performance.now();
      socket.write(Buffer.from(`${request}\r\n\r\n`, "latin1"));
      const found = await heard;
      this.#heard({ what: name, tookMs: performance.now() - startedAt });
      if (!answer.test(found)) throw new Error(`A request ${name} is answered ${found.slice(0, 100)}`);
    }
  }

  /** As they are, so that masking megabytes does not count as time of the head's. */
  async #write(what: string, bytes: Buffer): Promise<void> {
    for (const peer of [await this.#stranger(), await this.#predecessor()]) {
      const raw = rawSocketOf(peer);
      const hungUp = whenHungUp(raw);
      const startedAt = performance.now();
      raw.write(bytes);
      this.#heard({ what, tookMs: (await hungUp) - startedAt });
      const { code, reason } = await peer.closed;
      if (code === 1000) throw new Error(`${what} is taken: ${reason}`);
    }
  }

  #stranger(): Promise<RawPeer> {
    return RawPeer.dial(this.#port);
  }

  #predecessor(): Promise<RawPeer> {
    return greetHead(this.#port, this.#run, this.#need);
  }

  async #hangsUp(what: string, peer: RawPeer, frame: Buffer): Promise<void> {
    const hungUp = whenHungUp(rawSocketOf(peer));
    const startedAt = performance.now();
    peer.socket.send(frame);
    // Had the mutant been a frame, this would not be one.
    peer.socket.send("no frame");
    this.#heard({ what, tookMs: (await hungUp) - startedAt });
    const { code, reason } = await peer.closed;
    if (!EXPECTED.includes(code))
      throw new Error(`${what} ends with ${code} ${reason}: ${frame.toString("hex").slice(0, 1000)}`);
  }

  /** None that is as good as any a neighbour may send: the next batch, or its leave. */
  #nextHarmful(): Buffer {
    for (;;) {
      const mutant = this.#proved.next();
      const frame = decodedOrNot(mutant);
      const isNext =
        frame?.kind === "activation" && frame.batch === this.#need && frame.evaluation === undefined;
      if (!isNext && frame?.kind !== "release") return mutant;
    }
  }
}

function rawSocketOf({ socket }: RawPeer): Socket {
  return (socket as unknown as { readonly _socket: Socket })._socket;
}

/** When the other end has ended its side, or the connection (of performance.now()). */
function whenHungUp(raw: Socket): Promise<number> {
  return new Promise((resolve) => {
    for (const event of ["end", "error", "close"]) raw.on(event, () => resolve(performance.now()));
  });
}

/** Near to what the head would take: batches it has learnt, lacks or could not have yet. */
function framesOfLayer2(need: number): readonly Frame[] {
  return [
    ringsActivation(need - 1),
    ringsActivation(need),
    ringsActivation(need + 7),
    { ...ringsActivation(need), evaluation: { part: 0, parts: 2 } },
    { kind: "end", batches: 1500 },
  ];
}

function decodedOrNot(bytes: Buffer): Frame | undefined {
  try {
    return structuredClone(decode(bytes, { maxFrameBytes: 1 << 20 }));
  } catch {
    return undefined;
  }
}
