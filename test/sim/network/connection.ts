import type { Link, Why } from "../../../shared/link/link.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import { CloseCode, type Frame } from "../../../shared/wire/frames.ts";
import type { Life } from "../world/life.ts";
import { copyOf } from "./copy.ts";
import type { SimulatedNetwork } from "./simulated-network.ts";

const CLOSE_MS = 2000;

/** Two ends; 0 has dialled, 1 was listening. */
export class Connection {
  readonly net: SimulatedNetwork;
  readonly url: string;
  readonly ends: readonly [End, End];
  /** Activations sent and not answered, for the checks. */
  inFlight = 0;
  /** The batch of the preview that was sent last, until something follows it. */
  shown: number | undefined;
  /** What a broken neighbour would do to the next activation, preview or correction. */
  tampering: "double" | "skew" | undefined;
  isTamperedWith = false;
  /** A release was sent over it. */
  isReleased = false;

  constructor(net: SimulatedNetwork, url: string, dialler: Life, listener: Life) {
    this.net = net;
    this.url = url;
    this.ends = [new End(this, dialler), new End(this, listener)];
    net.connections.add(this);
  }

  tamperWith(frame: Frame): Frame[] {
    const { tampering } = this;
    if (tampering === undefined) return [frame];
    if (frame.kind !== "activation" && frame.kind !== "preview" && frame.kind !== "correction")
      return [frame];
    this.tampering = undefined;
    this.isTamperedWith = true;
    if (tampering === "double") return [frame, frame];
    return [{ ...frame, batch: frame.batch + 1 + Math.floor(this.net.random() * 3) }];
  }
}

export class End implements Link {
  readonly connection: Connection;
  readonly life: Life;
  readonly bufferedBytes = 0;
  readonly takesQuestions = false;
  onFrame: (frame: Frame) => void = () => {};
  onDown: (why: Why) => void = () => {};
  #why: Why | undefined;
  #isDown = false;
  /** When the last of what is on its way here arrives: nothing overtakes. */
  #lastArrival = 0;

  constructor(connection: Connection, life: Life) {
    this.connection = connection;
    this.life = life;
  }

  get other(): End {
    const [dialler, listener] = this.connection.ends;
    return this === dialler ? listener : dialler;
  }

  get isSilent(): boolean {
    return this.connection.net.silenceUntil(this.connection.url) > this.connection.net.queue.now;
  }

  delay(): void {}

  send(frame: Frame): void {
    if (this.#why !== undefined || this.#isDown) return;
    const copy = copyOf(frame);
    this.connection.net.watcher.sent(this.connection, copy, this === this.connection.ends[0]);
    for (const frame of this.connection.tamperWith(copy)) this.other.hear(() => this.other.receive(frame));
  }

  close(code: number, reason: string): void {
    if (this.#why !== undefined || this.#isDown) return;
    const why = { code, reason };
    this.#why = why;
    const { other } = this;
    other.hear(() => {
      this.hear(() => this.down({ ...why, heard: true }));
      other.down({ ...why, heard: true });
    });
    this.#later(CLOSE_MS, () => this.down(why));
  }

  terminate(): void {
    this.close(CloseCode.goingAway, "terminated");
  }

  /** In order, once it has travelled. */
  hear(what: () => void): void {
    const { net, url } = this.connection;
    const from = Math.max(net.queue.now, net.silenceUntil(url));
    this.#lastArrival = Math.max(this.#lastArrival, from + net.random() * 3) + 1e-6;
    this.#later(this.#lastArrival - net.queue.now, what);
  }

  receive(frame: Frame): void {
    if (this.#why !== undefined || this.#isDown) return;
    try {
      this.onFrame(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.close(error.code, error.message);
    }
  }

  /** Once; from within the process whose end it is. */
  down(why: Why): void {
    this.life.run(() => {
      if (this.#isDown) return;
      this.#isDown = true;
      this.connection.net.connections.delete(this.connection);
      // As the real one: what this end said, confirmed where both said that they were done.
      const isConfirmed = this.#why?.code === CloseCode.done && why.heard && why.code === CloseCode.done;
      this.onDown(isConfirmed ? { ...this.#why!, confirmed: true } : (this.#why ?? why));
      this.other.hear(() => this.other.down({ code: 1006, reason: "reset" }));
    });
  }

  #later(ms: number, what: () => void): void {
    this.connection.net.queue.after(ms, () => this.life.run(what));
  }
}
