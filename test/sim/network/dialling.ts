import { backoffMs } from "../../../shared/link/backoff.ts";
import type { Dialler, DialOptions } from "../../../shared/link/dial.ts";
import { isRefusal, type Why } from "../../../shared/link/link.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import { type BackFrame, CloseCode, type Frame } from "../../../shared/wire/frames.ts";
import type { Life } from "../world/life.ts";
import { Connection, type End } from "./connection.ts";
import type { Listening } from "./listening.ts";
import type { SimulatedNetwork } from "./simulated-network.ts";

export class Dialling implements Dialler {
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
    void this.#sayHello(end);
  }

  async #sayHello(end: End): Promise<void> {
    const { hello, beforeHello } = this.#options;
    await beforeHello?.();
    if (this.#end === end) end.send(hello());
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
