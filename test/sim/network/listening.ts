import type { Why } from "../../../shared/link/link.ts";
import type { Listener, ListenOptions } from "../../../shared/link/listen.ts";
import { FrameError } from "../../../shared/wire/frame-error.ts";
import { CloseCode, type ForwardFrame, type Frame, type HelloFrame } from "../../../shared/wire/frames.ts";
import type { Life } from "../world/life.ts";
import type { End } from "./connection.ts";
import type { SimulatedNetwork } from "./simulated-network.ts";

export class Listening implements Listener {
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
    void this.#greet(frame, end);
  }

  async #greet(frame: HelloFrame, end: End): Promise<void> {
    await this.#options.beforeAnswer?.();
    if (!this.#ends.has(end)) return;
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
