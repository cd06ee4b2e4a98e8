import type { Item } from "../../shared/delivery/items.ts";
import {
  initialState,
  type LayerEffect,
  type LayerEvent,
  type LayerState,
  need,
  type Rules,
  step,
} from "../../shared/delivery/layer-delivery.ts";
import {
  initialSource,
  type SourceEvent,
  type SourceRules,
  type SourceState,
  stepSource,
} from "../../shared/delivery/source-delivery.ts";
import { EventQueue, type SimulatedRandom } from "./event-queue.ts";

/** What the reducers are tried under: sizes, and how often what goes wrong. Times are virtual. */
export interface Scenario {
  readonly layers: number;
  readonly batches: number;
  readonly window: number;
  readonly evaluateEvery: number;
  readonly evaluationParts: number;
  readonly checkpointEvery: number;
  readonly stalenessBudget: number;
  readonly isLocked: boolean;
  readonly staleness?: number;
  /** Faults happen before this time; 0 for none. */
  readonly faultsUntil: number;
}

/** `frame` of an activation and `target` of an answer: only who computed it, for the checks. */
type Mark = number;

type Forward =
  | { readonly to: "successor"; readonly item: Item<Mark> }
  | { readonly to: "successor"; readonly release: true };
type Back =
  | { readonly to: "predecessor"; readonly answer: number; readonly target: Mark | undefined }
  | { readonly to: "predecessor"; readonly rewind: number }
  | { readonly to: "predecessor"; readonly finished: true };

interface Durable {
  readonly cursor: number;
  readonly applied: readonly number[];
}

/** One layer process: the reducer, and what its shell would do with the effects. */
interface SimulatedLayer {
  readonly number: number;
  readonly rules: Rules;
  up: boolean;
  life: number;
  state: LayerState<Mark>;
  applied: number[];
  durable: Durable;
  evidence: Set<number>;
  output: { readonly item: Item<Mark> } | undefined;
  released: boolean;
  story: string[];
  maxSinceTarget: number;
}

interface SimulatedLink {
  readonly from: number;
  session: number;
  open: boolean;
  lastForward: number;
  lastBack: number;
}

/** A source and K layers under a seeded queue of events: links with delay and cuts, crashes of any subset, a disk that lags. */
export class Network {
  readonly scenario: Scenario;
  readonly random: SimulatedRandom;
  readonly queue = new EventQueue();
  readonly layers: SimulatedLayer[];
  readonly links: SimulatedLink[];
  readonly violations: string[] = [];
  readonly evaluations: number[] = [];
  source: { up: boolean; finished: boolean; state: SourceState } = {
    up: true,
    finished: false,
    state: initialSource,
  };
  faults = 0;

  constructor(scenario: Scenario, random: SimulatedRandom) {
    this.scenario = scenario;
    this.random = random;
    this.layers = Array.from({ length: scenario.layers }, (_, index) => this.newLayer(index + 1));
    this.links = Array.from({ length: scenario.layers }, (_, from) => ({
      from,
      session: 0,
      open: false,
      lastForward: 0,
      lastBack: 0,
    }));
    for (const link of this.links) this.queue.after(random() * 5, () => this.dial(link));
    if (scenario.faultsUntil > 0) this.queue.after(10, () => this.nemesis());
  }

  get done(): boolean {
    return (
      this.source.finished && this.layers.every((layer) => layer.durable.cursor === this.scenario.batches - 1)
    );
  }

  run(mostEvents: number): void {
    let events = 0;
    while (!this.done && this.violations.length === 0) {
      if (events++ > mostEvents || !this.queue.next()) {
        const cursors = this.layers.map((layer) => layer.state.cursor).join(" ");
        this.violations.push(
          `no end: cursors ${cursors}, source next ${this.source.state.next}, t=${this.queue.now}`,
        );
      }
    }
    if (this.violations.length === 0)
      this.layers.forEach((layer) => {
        this.checkLedger(layer);
      });
  }

  private checkLedger(layer: SimulatedLayer): void {
    const { applied } = layer.durable;
    if (applied.length !== this.scenario.batches || applied.some((batch, index) => batch !== index))
      this.violations.push(
        `layer ${layer.number} applied ${applied.length} of ${this.scenario.batches} in its durable lineage`,
      );
  }

  private newLayer(number: number): SimulatedLayer {
    const { layers, batches, window, isLocked, staleness, stalenessBudget } = this.scenario;
    const isHead = number === layers;
    const rules: Rules = {
      batches,
      window,
      isHead,
      isLocked,
      stalenessBudget,
      ...(staleness ? { staleness } : {}),
    };
    return {
      number,
      rules,
      up: true,
      life: 0,
      state: initialState(-1),
      applied: [],
      durable: { cursor: -1, applied: [] },
      evidence: new Set(),
      output: undefined,
      released: false,
      story: [],
      maxSinceTarget: 0,
    };
  }

  // — links —

  private dial(link: SimulatedLink): void {
    if (link.open) return;
    const from = link.from === 0 ? this.source : this.layers[link.from - 1]!;
    const to = this.layers[link.from]!;
    if (!from.up || !to.up) return this.queue.after(2 + this.random() * 5, () => this.dial(link));
    link.open = true;
    link.session += 1;
    link.lastForward = link.lastBack = this.queue.now;
    const needed = need(to.state);
    const session = link.session;
    this.layerHears(to, { event: "predecessorLinked" });
    const arrival = Math.max(link.lastBack, this.queue.now + this.random() * 3) + 1e-6;
    link.lastBack = arrival;
    this.queue.after(arrival - this.queue.now, () => {
      if (link.session !== session || !link.open) return;
      if (link.from === 0) this.sourceHears({ event: "successorLinked", need: needed });
      else this.layerHears(this.layers[link.from - 1]!, { event: "successorLinked", need: needed });
    });
  }

  cut(link: SimulatedLink): void {
    if (!link.open) return;
    link.open = false;
    link.session += 1;
    const to = this.layers[link.from]!;
    if (to.up) this.layerHears(to, { event: "predecessorLost" });
    if (link.from === 0) {
      if (this.source.up) this.sourceHears({ event: "successorLost" });
    } else if (this.layers[link.from - 1]!.up)
      this.layerHears(this.layers[link.from - 1]!, { event: "successorLost" });
    this.queue.after(1 + this.random() * 10, () => this.dial(link));
  }

  private sendForward(from: number, frame: Forward): void {
    const link = this.links[from]!;
    if (!link.open) return;
    const { session } = link;
    link.lastForward = Math.max(link.lastForward, this.queue.now + this.random() * 3) + 1e-6;
    this.queue.after(link.lastForward - this.queue.now, () => {
      if (link.session !== session) return;
      const to = this.layers[from]!;
      if ("release" in frame) this.layerHears(to, { event: "released" });
      else this.layerHears(to, { event: "heard", item: frame.item });
    });
  }

  private sendBack(from: number, frame: Back): void {
    const link = this.links[from - 1]!;
    if (!link.open) return;
    const { session } = link;
    link.lastBack = Math.max(link.lastBack, this.queue.now + this.random() * 3) + 1e-6;
    this.queue.after(link.lastBack - this.queue.now, () => {
      if (link.session !== session) return;
      if (link.from === 0) this.sourceHearsFrame(frame);
      else this.layerHears(this.layers[link.from - 1]!, eventOf(frame));
    });
  }

  // — the source —

  private sourceHearsFrame(frame: Back): void {
    if ("finished" in frame) {
      this.source.finished = true;
      return this.sendForward(0, { to: "successor", release: true });
    }
    this.sourceHears(
      "rewind" in frame
        ? { event: "rewound", need: frame.rewind }
        : { event: "answered", batch: frame.answer },
    );
  }

  private sourceHears(event: SourceEvent): void {
    const { batches, window, evaluateEvery, evaluationParts } = this.scenario;
    const rules: SourceRules = { batches, window, evaluateEvery, evaluationParts };
    const [state, effects] = stepSource(rules, this.source.state, event);
    this.source.state = state;
    for (const effect of effects) {
      if (effect.effect === "hangUp") this.violations.push(`source: ${effect.reason}`);
      else if (effect.effect === "end") this.sendForward(0, { to: "successor", item: { kind: "end" } });
      else if (effect.effect === "sendBatch")
        this.sendForward(0, { to: "successor", item: { kind: "batch", batch: effect.batch, frame: 0 } });
      else {
        const item = {
          kind: "evaluation",
          batch: effect.batch,
          part: effect.part,
          parts: evaluationParts,
          frame: 0,
        } as const;
        this.sendForward(0, { to: "successor", item });
      }
    }
  }

  // — a layer —

  private layerHears(layer: SimulatedLayer, event: LayerEvent<Mark>): void {
    if (!layer.up) return;
    const [state, effects] = step(layer.rules, layer.state, event);
    layer.state = state;
    layer.maxSinceTarget = Math.max(layer.maxSinceTarget, state.sinceTarget);
    if (state.inbox.length > layer.rules.window + 1)
      this.violations.push(`layer ${layer.number}: inbox ${state.inbox.length}`);
    if (layer.evidence.size > layer.rules.window + (layer.rules.staleness ?? 0))
      this.violations.push(`layer ${layer.number}: ${layer.evidence.size} pieces of evidence`);
    for (const effect of effects) this.carryOut(layer, effect);
  }

  private carryOut(layer: SimulatedLayer, effect: LayerEffect<Mark>): void {
    switch (effect.effect) {
      case "update":
        this.apply(layer, effect.item.batch);
        return this.answer(layer, effect.item.batch, layer.number);
      case "rehearse":
        return this.answer(layer, effect.item.batch, layer.number);
      case "passForward":
        return;
      case "passBackward":
        if (effect.learns) this.apply(layer, effect.item.batch);
        return this.answer(layer, effect.item.batch, layer.number);
      case "evaluate":
        if (layer.rules.isHead && effect.last) this.evaluations.push(effect.item.batch);
        return this.answer(layer, effect.item.batch, undefined);
      case "acknowledge":
        return this.answer(layer, effect.item.batch, undefined);
      case "forward":
        if (effect.item.kind === "batch" && !layer.rules.isLocked) layer.evidence.add(effect.ticket);
        return this.sendForward(layer.number, {
          to: "successor",
          item: { ...effect.item, frame: layer.number },
        });
      case "learn":
        if (!layer.evidence.delete(effect.ticket))
          this.violations.push(`layer ${layer.number}: no evidence of ${effect.batch}`);
        layer.story.push(`learn ${effect.batch}`);
        return;
      case "forget":
        for (const ticket of effect.tickets) layer.evidence.delete(ticket);
        return;
      case "rewind":
        return this.sendBack(layer.number, { to: "predecessor", rewind: effect.need });
      case "end":
        return this.sendForward(layer.number, { to: "successor", item: { kind: "end" } });
      case "save":
        return this.save(layer, () => this.layerHears(layer, { event: "saved" }));
      case "finished":
        return this.sendBack(layer.number, { to: "predecessor", finished: true });
      case "release":
        layer.released = true;
        return this.sendForward(layer.number, { to: "successor", release: true });
      case "hangUp":
        this.violations.push(`layer ${layer.number}: ${effect.reason}`);
        return;
      case "hold":
      case "resume":
        layer.story.push(effect.effect);
    }
  }

  private apply(layer: SimulatedLayer, batch: number): void {
    if (batch !== layer.applied.length)
      this.violations.push(`layer ${layer.number} applies ${batch} after ${layer.applied.length - 1}`);
    layer.applied.push(batch);
    layer.story.push(`apply ${batch}`);
    if ((batch + 1) % this.scenario.checkpointEvery === 0) this.save(layer, () => {});
  }

  private answer(layer: SimulatedLayer, batch: number, mark: Mark | undefined): void {
    const target = layer.number === 1 ? undefined : mark;
    this.sendBack(layer.number, { to: "predecessor", answer: batch, target });
  }

  private save(layer: SimulatedLayer, onDurable: () => void): void {
    const snapshot = { cursor: layer.applied.length - 1, applied: [...layer.applied] };
    const { life } = layer;
    this.queue.after(this.random() * 4, () => {
      if (!layer.up || layer.life !== life) return;
      if (snapshot.cursor >= layer.durable.cursor) layer.durable = snapshot;
      onDurable();
    });
  }

  // — what goes wrong —

  private crash(number: number): void {
    this.faults += 1;
    const back = () => 3 + this.random() * 20;
    if (number === 0) {
      this.source.up = false;
      this.cut(this.links[0]!);
      this.source.state = initialSource;
      return this.queue.after(back(), () => {
        this.source.up = true;
      });
    }
    const layer = this.layers[number - 1]!;
    if (!layer.up) return;
    layer.up = false;
    layer.life += 1;
    this.cut(this.links[number - 1]!);
    if (number < this.layers.length) this.cut(this.links[number]!);
    layer.state = initialState(layer.durable.cursor);
    layer.applied = [...layer.durable.applied];
    layer.evidence.clear();
    this.queue.after(back(), () => {
      layer.up = true;
    });
  }

  private nemesis(): void {
    if (this.queue.now > this.scenario.faultsUntil) return;
    const dice = this.random();
    if (dice < 0.45) this.crash(Math.floor(this.random() * (this.layers.length + 1)));
    else if (dice < 0.55) {
      for (let number = 0; number <= this.layers.length; number++)
        if (this.random() < 0.6) this.crash(number);
    } else {
      this.faults += 1;
      this.cut(this.links[Math.floor(this.random() * this.links.length)]!);
    }
    this.queue.after(5 + this.random() * 40, () => this.nemesis());
  }
}

function eventOf(frame: Back): LayerEvent<Mark> {
  if ("finished" in frame) return { event: "finished" };
  if ("rewind" in frame) return { event: "rewound", need: frame.rewind };
  return {
    event: "answered",
    batch: frame.answer,
    ...(frame.target === undefined ? {} : { target: frame.target }),
  };
}
