import { initialState, need } from "../../shared/delivery/delivery-state.ts";
import type { Item } from "../../shared/delivery/items.ts";
import { step } from "../../shared/delivery/layer-delivery.ts";
import type { LayerEffect } from "../../shared/delivery/layer-effect.ts";
import type { LayerEvent } from "../../shared/delivery/layer-event.ts";
import {
  initialSource,
  type SourceEvent,
  type SourceRules,
  type SourceState,
  stepSource,
} from "../../shared/delivery/source-delivery.ts";
import { type Due, pop, push, seeded } from "./events.ts";
import type { ScaleFindings, ScaleOptions } from "./findings.ts";
import type { Layer, Nothing } from "./layer.ts";

const WINDOW = 4;
const CHECKPOINT_EVERY = 200;
/** To compute one update, to pass on what was learnt already, and to learn from a target. */
const COST_MS = { update: 5, rehearse: 3, learn: 1, repeat: 0.2, sendAgain: 0.2 } as const;
/** A link that is cut without a word is noticed after so long, and dialled again at most so much later. */
const NOTICED_MS = 2500;
const BACK_MS = [10_000, 60_000] as const;
const JITTER = 0.2;

export function simulate(options: ScaleOptions): ScaleFindings {
  return new Chain(options).run();
}

class Chain {
  readonly #options: ScaleOptions;
  readonly #random: () => number;
  readonly #queue: Due[] = [];
  readonly #layers: Layer[];
  readonly #sourceRules: SourceRules;
  #source: SourceState = initialSource;
  /** Link n leads from layer n to layer n + 1, 0 from the source; it changes whenever it breaks. */
  readonly #links: number[];
  /** When the last message on a way arrives: they keep their order. */
  readonly #arrivals = new Map<string, number>();
  readonly #violations: string[] = [];
  #now = 0;
  #order = 0;
  #most = 0;
  #ages = 0;
  #targets = 0;
  #deaths = 0;
  #backMs = 0;
  #backs = 0;

  constructor(options: ScaleOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    const { layers, stalenessBudget } = options;
    const batches = 1e9;
    const sentKept = 2 * CHECKPOINT_EVERY + 2 * WINDOW;
    this.#sourceRules = { batches, window: WINDOW, evaluateEvery: 1e9, evaluationParts: 0, snapshotEvery: 0 };
    this.#layers = Array.from({ length: layers }, (_, index) => ({
      ...{
        state: initialState<Nothing>(-1),
        isUp: true,
        life: 1,
        busyUntil: 0,
        durable: -1,
        diedAt: undefined,
      },
      ...{ isBusy: false, waiting: [] },
      rules: {
        batches,
        window: WINDOW,
        isHead: index === layers - 1,
        isLocked: false,
        stalenessBudget,
        sentKept,
      },
    }));
    this.#links = Array.from({ length: layers }, () => 0);
  }

  run(): ScaleFindings {
    const { layers, horizonMs, failureMs } = this.#options;
    for (let link = layers - 1; link >= 0; link--) this.#connect(link);
    if (Number.isFinite(failureMs)) for (const index of this.#layers.keys()) this.#fate(index);
    for (let due = this.#next(); due && due.at <= horizonMs; due = this.#next()) {
      this.#now = due.at;
      due.run();
    }
    return {
      learnt: Math.min(...this.#layers.map(({ state }) => state.cursor)) + 1,
      fed: this.#layers[0]!.state.cursor + 1,
      most: this.#most,
      staleness: this.#targets === 0 ? 0 : this.#ages / this.#targets,
      deaths: this.#deaths,
      backMs: this.#backs === 0 ? 0 : this.#backMs / this.#backs,
      violations: this.#violations,
    };
  }

  // — time —

  #at(at: number, run: () => void): void {
    push(this.#queue, { at, order: this.#order++, run });
  }

  #next(): Due | undefined {
    return pop(this.#queue);
  }

  // — nodes —

  #fate(index: number): void {
    const { life } = this.#layers[index]!;
    this.#at(this.#now - Math.log(1 - this.#random()) * this.#options.failureMs, () => {
      if (this.#layers[index]!.life === life) this.#die(index);
    });
  }

  #die(index: number): void {
    const layer = this.#layers[index]!;
    layer.isUp = false;
    layer.life++;
    layer.diedAt ??= this.#now;
    this.#deaths++;
    this.#breakLink(index);
    if (index + 1 < this.#layers.length) this.#breakLink(index + 1);
    const [least, most] = BACK_MS;
    this.#at(this.#now + least + this.#random() * (most - least), () => {
      layer.isUp = true;
      layer.state = initialState<Nothing>(layer.durable);
      Object.assign(layer, { busyUntil: this.#now, isBusy: false, waiting: [] });
      this.#connect(index);
      if (index + 1 < this.#layers.length) this.#connect(index + 1);
      this.#fate(index);
    });
  }

  // — links —

  #breakLink(link: number): void {
    const broken = ++this.#links[link]!;
    this.#at(this.#now + NOTICED_MS, () => {
      if (this.#links[link] !== broken) return;
      if (link === 0) this.#tellSource({ event: "successorLost" });
      else this.#tell(link - 1, { event: "successorLost" });
      this.#tell(link, { event: "predecessorLost" });
    });
  }

  /** A round trip for the greeting, once both ends are up. */
  #connect(link: number): void {
    const above = link === 0 || this.#layers[link - 1]!.isUp;
    if (!above || !this.#layers[link]!.isUp) return;
    const epoch = ++this.#links[link]!;
    this.#at(this.#now + 2 * this.#delay(), () => {
      if (this.#links[link] !== epoch) return;
      this.#tell(link, { event: "predecessorLost" });
      this.#tell(link, { event: "predecessorLinked" });
      const event = { event: "successorLinked", need: need(this.#layers[link]!.state) } as const;
      if (link === 0) this.#tellSource(event);
      else this.#tell(link - 1, event);
    });
  }

  #delay(): number {
    return this.#options.linkMs * (1 + JITTER * (2 * this.#random() - 1));
  }

  #send(link: number, way: "forth" | "back", at: number, arrive: () => void): void {
    const epoch = this.#links[link]!;
    const key = `${link} ${way}`;
    const arrival = Math.max(at + this.#delay(), this.#arrivals.get(key) ?? 0);
    this.#arrivals.set(key, arrival);
    this.#at(arrival, () => {
      if (this.#links[link] === epoch) arrive();
    });
  }

  // — what the reducer says —

  #tellSource(event: SourceEvent): void {
    const [state, effects] = stepSource(this.#sourceRules, this.#source, event);
    this.#source = state;
    for (const effect of effects) {
      if (effect.effect === "sendBatch") this.#sendBatch(0, effect.batch, this.#now);
      else if (effect.effect === "hangUp") this.#violations.push(`source: ${effect.reason}`);
    }
  }

  /** In its turn: a layer does one thing at a time. What came over a link that has broken since is forgotten. */
  #tell(index: number, event: LayerEvent<Nothing>, link?: number): void {
    const layer = this.#layers[index]!;
    if (!layer.isUp) return;
    const epoch = link === undefined ? 0 : this.#links[link]!;
    layer.waiting.push({ event, isValid: () => link === undefined || this.#links[link] === epoch });
    if (!layer.isBusy) this.#work(index);
  }

  #work(index: number): void {
    const layer = this.#layers[index]!;
    while (layer.isUp && layer.busyUntil <= this.#now) {
      const next = layer.waiting.shift();
      if (next === undefined) return;
      if (next.isValid()) this.#step(index, next.event);
    }
    if (layer.isBusy || !layer.isUp) return;
    layer.isBusy = true;
    const { life } = layer;
    this.#at(layer.busyUntil, () => {
      if (layer.life !== life) return;
      layer.isBusy = false;
      this.#work(index);
    });
  }

  #step(index: number, event: LayerEvent<Nothing>): void {
    const layer = this.#layers[index]!;
    const before = layer.state.cursor;
    const [state, effects] = step(layer.rules, layer.state, event);
    layer.state = state;
    let at = this.#now;
    let cursor = before;
    for (const effect of effects) {
      at += COST_MS[effect.effect as keyof typeof COST_MS] ?? 0;
      if (effect.effect === "update") cursor = this.#updated(index, effect.item.batch, cursor, at);
      this.#carryOut(index, effect, at);
    }
    layer.busyUntil = at;
    const { inbox, successor } = state;
    const kept = inbox.length + (successor.phase === "linked" ? successor.inFlight.length : 0);
    this.#most = Math.max(this.#most, kept);
    if (cursor !== state.cursor)
      this.#violations.push(`layer ${index + 1}: cursor ${state.cursor}, learnt ${cursor}`);
    if (state.inbox.length > WINDOW + 1)
      this.#violations.push(`layer ${index + 1}: ${state.inbox.length} wait`);
  }

  #updated(index: number, batch: number, cursor: number, at: number): number {
    const layer = this.#layers[index]!;
    if (batch !== cursor + 1) this.#violations.push(`layer ${index + 1}: learnt ${batch} after ${cursor}`);
    if (layer.diedAt !== undefined) {
      this.#backMs += at - layer.diedAt;
      this.#backs++;
      layer.diedAt = undefined;
    }
    if ((batch + 1) % CHECKPOINT_EVERY === 0) layer.durable = batch;
    return batch;
  }

  #carryOut(index: number, effect: LayerEffect<Nothing>, at: number): void {
    switch (effect.effect) {
      case "update":
      case "rehearse":
      case "repeat":
        this.#answer(index, effect.item.batch, true, at);
        if (effect.ticket !== undefined) this.#sendBatch(index + 1, effect.item.batch, at);
        return;
      case "sendAgain":
        return this.#sendBatch(index + 1, effect.batch, at);
      case "acknowledge":
        return this.#answer(index, effect.item.batch, false, at);
      case "learn":
        this.#ages += effect.age;
        this.#targets++;
        return;
      case "rewind":
        return this.#back(index, { event: "rewound", need: effect.need }, at);
      case "hangUp":
        this.#violations.push(`layer ${index + 1}: ${effect.reason}`);
        return;
      default:
        return;
    }
  }

  #sendBatch(link: number, batch: number, at: number): void {
    const item: Item<Nothing> = { kind: "batch", batch, rows: 64, frame: null };
    this.#send(link, "forth", at, () => this.#tell(link, { event: "heard", item }, link));
  }

  #answer(index: number, batch: number, hasTarget: boolean, at: number): void {
    this.#back(
      index,
      { event: "answered", item: { kind: "batch", batch }, ...(hasTarget && { target: true }) },
      at,
    );
  }

  #back(
    index: number,
    event: Extract<LayerEvent<Nothing>, { event: "answered" | "rewound" }>,
    at: number,
  ): void {
    this.#send(index, "back", at, () => {
      if (index > 0) return this.#tell(index - 1, event, index);
      this.#tellSource(event.event === "answered" ? { event: "answered", item: event.item } : event);
    });
  }
}
