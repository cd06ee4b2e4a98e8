import { need } from "../../shared/delivery/delivery-state.ts";
import { Life, type Message } from "./transcript-life.ts";

export interface ChainOptions {
  readonly layers: number;
  readonly batches: number;
  readonly window: number;
  readonly budget: number;
  /** Held-out data is sent before every batch that is a multiple of it, in so many `parts`. */
  readonly evaluate: number;
  readonly parts: number;
  /** Barriers likewise; 0 for none. */
  readonly snapshot: number;
  readonly staleness: number | undefined;
  readonly unlocked: boolean;
}

/** A link that is up, and what is on its way over it. */
interface TranscriptLink {
  readonly dialler: Life;
  readonly listener: Life;
  readonly forward: Message[];
  readonly back: Message[];
}

/** A source and its layers, and the links between them, which carry a message when they are told to. */
export class Chain {
  readonly options: ChainOptions;
  /** What happened since this was emptied. */
  readonly told: string[] = [];
  readonly links: TranscriptLink[] = [];
  readonly #lives: Life[] = [];
  /** The newest, by number. */
  readonly #incarnations = new Map<number, number>();
  /** By layer: the cursor that it saved last. */
  readonly saved = new Map<number, number>();

  constructor(options: ChainOptions) {
    this.options = options;
    for (let number = 0; number <= options.layers; number++) this.#lives.push(new Life(this, number, 1));
  }

  life(name: string): Life {
    const found = this.#lives.find((each) => each.name === name);
    if (found) return found;
    throw new Error(`Cannot read transcript: ${name} does not live`);
  }

  start(number: number): void {
    const before = this.#incarnations.get(number) ?? 1;
    this.#incarnations.set(number, before + 1);
    const life = new Life(this, number, before + 1);
    this.#lives.push(life);
    const from = number === 0 ? "" : ` from batch ${life.layer!.cursor}`;
    this.told.push(`${life.name} starts${from}`);
  }
  kill(life: Life, why: string): void {
    this.told.push(`${life.name} ends: ${why}`);
    this.#lives.splice(this.#lives.indexOf(life), 1);
    for (const { dialler, listener } of this.links.filter(
      (each) => each.dialler === life || each.listener === life,
    ))
      this.cut(dialler, listener);
  }

  link(dialler: Life, listener: Life): void {
    const refusal = listener.refuses(dialler) ?? dialler.refuses(listener);
    if (refusal) return void this.told.push(`${listener.name} and ${dialler.name} do not link: ${refusal}`);
    const left = this.links.find((each) => each.dialler === dialler);
    if (left) this.cut(dialler, left.listener, `left for ${listener.name}`);
    const old = this.links.find((each) => each.listener === listener);
    if (old) this.cut(old.dialler, listener, "replaced");
    const needed = need(listener.layer!);
    this.told.push(`${listener.name} welcomes ${dialler.name}: needs ${needed}`);
    this.links.push({ dialler, listener, forward: [], back: [] });
    listener.take({ event: "predecessorLinked" });
    dialler.take({ event: "successorLinked", need: needed });
  }

  cut(dialler: Life, listener: Life, why?: string): void {
    const index = this.links.findIndex((each) => each.dialler === dialler && each.listener === listener);
    if (index < 0) return;
    this.links.splice(index, 1);
    if (why) this.told.push(`${dialler.name}–${listener.name} is lost: ${why}`);
    if (this.#lives.includes(listener)) listener.take({ event: "predecessorLost" });
    if (this.#lives.includes(dialler)) dialler.take({ event: "successorLost" });
  }

  deliver(from: string, to: string, count: number): void {
    for (let n = 0; n < count; n++) {
      const link = this.links.find(({ dialler, listener }) =>
        [`${dialler.name} ${listener.name}`, `${listener.name} ${dialler.name}`].includes(`${from} ${to}`),
      );
      const isForward = link?.dialler.name === from;
      const message = isForward ? link?.forward.shift() : link?.back.shift();
      if (!link || !message)
        throw new Error(`Cannot read transcript: nothing is on its way from ${from} to ${to}`);
      (isForward ? link.listener : link.dialler).hear(message);
    }
  }

  /** One of each way at a time, from the source on. */
  deliverAll(): void {
    for (let n = 0; n < 1000; n++) {
      const busy = this.links.flatMap(({ dialler, listener, forward, back }) => [
        ...(forward.length > 0 ? [[dialler, listener] as const] : []),
        ...(back.length > 0 ? [[listener, dialler] as const] : []),
      ]);
      if (busy.length === 0) return;
      for (const [from, to] of busy) if (this.#isUnderWay(from, to)) this.deliver(from.name, to.name, 1);
    }
    throw new Error("Cannot read transcript: messages never end");
  }

  /** Not where a message before it has ended the link. */
  #isUnderWay(from: Life, to: Life): boolean {
    return this.links.some(
      ({ dialler, listener, forward, back }) =>
        (dialler === from && listener === to && forward.length > 0) ||
        (listener === from && dialler === to && back.length > 0),
    );
  }
}
