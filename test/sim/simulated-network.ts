import { backoffMs } from "../../shared/link/backoff.ts";
import type { Dialler, DialOptions } from "../../shared/link/dial.ts";
import { isRefusal, type Link, type Why } from "../../shared/link/link.ts";
import type { Listener, ListenOptions } from "../../shared/link/listen.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import {
  type BackFrame,
  CloseCode,
  type ForwardFrame,
  type Frame,
  type Tensor,
} from "../../shared/wire/frames.ts";
import type { EventQueue, SimulatedRandom } from "./event-queue.ts";
import type { Life } from "./life.ts";

/** What the network tells of what passes; for the checks. */
export interface Watcher {
  dialled(life: Life, incarnation: number): void;
  accepted(life: Life, incarnation: number): void;
  sent(connection: Connection, frame: Frame, forward: boolean): void;
}

const HEARTBEATS_MS = 2000;
const CLOSE_MS = 2000;

/** Connections between simulated processes: what `dial` and `listen` promise, with frames for bytes and virtual time. */
export class SimulatedNetwork {
  readonly queue: EventQueue;
  readonly random: SimulatedRandom;
  readonly watcher: Watcher;
  readonly connections = new Set<Connection>();
  readonly #listeners: Listening[] = [];
  /** By address: nothing passes to or from it until then. */
  readonly #silentUntil = new Map<string, number>();

  constructor(queue: EventQueue, random: SimulatedRandom, watcher: Watcher) {
    this.queue = queue;
    this.random = random;
    this.watcher = watcher;
  }

  dialFor(life: Life): (options: DialOptions) => Dialler {
    return (options) => {
      const dialling = new Dialling(this, life, options);
      dialling.connect();
      return dialling;
    };
  }

  listenFor(life: Life): (options: ListenOptions) => Promise<Listener> {
    return async (options) => {
      const listening = new Listening(this, life, options);
      this.#listeners.push(listening);
      return listening;
    };
  }

  /** Somebody who listens there; mostly the newest, if there are several. */
  find(url: string): Listening | undefined {
    const there = this.#listeners.filter(({ url: own, isOpen }) => own === url && isOpen);
    const index = this.random() < 0.7 ? there.length - 1 : Math.floor(this.random() * there.length);
    return there[index];
  }

  silenceUntil(address: string): number {
    return this.#silentUntil.get(address) ?? 0;
  }

  /** A black hole: what was sent arrives late, unless a heartbeat gives up before. */
  silence(url: string, ms: number): void {
    this.#silentUntil.set(url, this.queue.now + ms);
    for (const connection of this.connections)
      if (connection.url === url)
        for (const end of connection.ends) this.#watchHeart(end, () => end.isSilent);
  }

  /** The other ends notice a stopped process by its silence. */
  stopped(life: Life): void {
    for (const end of this.#endsOf(life)) this.#watchHeart(end.other, () => !life.isAlive || life.isStopped);
  }

  /** A dead process: its machine says so on its behalf, or not, if that is gone too. */
  died(life: Life, isSilent: boolean): void {
    for (const end of this.#endsOf(life)) {
      if (isSilent) this.#watchHeart(end.other, () => true);
      else end.other.hear(() => end.other.down({ code: 1006, reason: "reset" }));
    }
    for (const listening of this.#listeners.splice(0))
      if (listening.life !== life) this.#listeners.push(listening);
  }

  cut(connection: Connection): void {
    for (const end of connection.ends) end.down({ code: 1006, reason: "cut" });
  }

  #endsOf(life: Life): End[] {
    return [...this.connections].flatMap(({ ends }) => ends.filter((end) => end.life === life));
  }

  #watchHeart(end: End, isStillSilent: () => boolean): void {
    this.queue.after(HEARTBEATS_MS * (1 + this.random() / 2), () => {
      if (isStillSilent()) end.down({ code: 1006, reason: "no sign of life within two heartbeats" });
    });
  }
}

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

class End implements Link {
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

class Listening implements Listener {
  readonly port: number;
  readonly url: string;
  readonly life: Life;
  readonly #net: SimulatedNetwork;
  readonly #options: ListenOptions;
  readonly #ends = new Set<End>();
  #predecessor: End | undefined;
  isOpen = true;

  constructor(net: SimulatedNetwork, life: Life, options: ListenOptions) {
    this.#net = net;
    this.life = life;
    this.#options = options;
    this.port = options.port;
    this.url = `ws://${options.host}:${options.port}`;
  }

  accept(end: End): void {
    this.#ends.add(end);
    end.onFrame = (frame) => this.#receive(frame, end);
    end.onDown = (why) => this.#ended(end, why);
  }

  async close(code: CloseCode = CloseCode.goingAway, reason = ""): Promise<void> {
    this.isOpen = false;
    for (const end of this.#ends) end.close(code, reason);
  }

  #receive(frame: Frame, end: End): void {
    if (end === this.#predecessor) return this.#options.onFrame(frame as ForwardFrame, end);
    if (frame.kind !== "hello") throw new FrameError(`Cannot take ${frame.kind}: the first frame is hello`);
    const answer = this.#options.answer(frame);
    if ("code" in answer) return end.close(answer.code, answer.reason);
    this.#net.watcher.accepted(this.life, frame.incarnation);
    const old = this.#predecessor;
    const why = { code: CloseCode.fenced, reason: `replaced by incarnation ${frame.incarnation}` };
    old?.close(why.code, why.reason);
    old?.down(why);
    this.#predecessor = end;
    end.send(answer);
    this.#options.onUp(end, frame);
  }

  #ended(end: End, why: Why): void {
    this.#ends.delete(end);
    if (end !== this.#predecessor) return this.#options.onTurnedAway?.(why);
    this.#predecessor = undefined;
    this.#options.onDown(end, why);
  }
}

class Dialling implements Dialler {
  readonly #net: SimulatedNetwork;
  readonly #life: Life;
  readonly #options: DialOptions;
  #end: End | undefined;
  #isUp = false;
  #isClosed = false;
  #failures = 0;

  constructor(net: SimulatedNetwork, life: Life, options: DialOptions) {
    this.#net = net;
    this.#life = life;
    this.#options = options;
  }

  connect(): void {
    if (this.#isClosed) return;
    const { url, link } = this.#options;
    const silence = Math.max(0, this.#net.silenceUntil(url) - this.#net.queue.now);
    this.#later(Math.min(silence, link.handshakeMs) + this.#net.random(), () => {
      const there = silence < link.handshakeMs ? this.#net.find(url) : undefined;
      if (this.#isClosed) return;
      if (there) this.#greet(there);
      else this.#ended({ code: 1006, reason: "ECONNREFUSED" });
    });
  }

  async close(code: CloseCode = CloseCode.done, reason = ""): Promise<void> {
    this.#isClosed = true;
    this.#end?.close(code, reason);
  }

  #greet(there: Listening): void {
    const { url, link } = this.#options;
    const connection = new Connection(this.#net, url, this.#life, there.life);
    const [end, far] = connection.ends;
    this.#end = end;
    there.accept(far);
    end.onFrame = (frame) => this.#receive(frame, end);
    end.onDown = (why) => this.#ended(why);
    this.#later(link.handshakeMs, () => {
      if (this.#end === end && !this.#isUp) end.close(CloseCode.helloTimeout, "no welcome in time");
    });
    end.send(this.#options.hello());
  }

  #receive(frame: Frame, end: End): void {
    if (this.#isUp) return this.#options.onFrame(frame as BackFrame, end);
    if (frame.kind !== "welcome") throw new FrameError(`Cannot take ${frame.kind}: the first is welcome`);
    const refusal = this.#options.check(frame);
    if (refusal) return end.close(refusal.code, refusal.reason);
    this.#net.watcher.dialled(this.#life, frame.incarnation);
    this.#failures = 0;
    this.#isUp = true;
    this.#options.onUp(end, frame);
  }

  #ended(why: Why): void {
    const up = this.#isUp ? this.#end : undefined;
    this.#isUp = false;
    this.#end = undefined;
    const waitMs = this.#isClosed ? 0 : this.#wait();
    this.#options.onDown(up, why);
    if (this.#isClosed) return;
    if (isRefusal(why)) this.#options.onRefused?.(why);
    if (!this.#isClosed) this.#options.onWaiting?.(this.#failures, waitMs, why);
  }

  #wait(): number {
    const { link, random } = this.#options;
    const waitMs = backoffMs(++this.#failures, link.backoffMs, random);
    this.#later(waitMs, () => this.connect());
    return waitMs;
  }

  #later(ms: number, what: () => void): void {
    this.#net.queue.after(ms, () => this.#life.run(what));
  }
}

/** As it was when it was sent: tensors alias buffers that are written again. */
export function copyOf<F extends Frame>(frame: F): F {
  const copied = Object.entries(frame).map(([key, value]) => [
    key,
    isTensor(value) ? copyTensor(value) : value,
  ]);
  return Object.fromEntries(copied) as F;
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "data" in value;
}

function copyTensor(tensor: Tensor): Tensor {
  const { data, scales } = tensor;
  return { ...tensor, data: data.slice(), ...(scales && { scales: scales.slice() }) };
}
