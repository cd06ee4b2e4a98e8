import type { Connection } from "./network/connection.ts";
import type { Simulation } from "./simulation.ts";

/** Lets things go wrong until a given time, then heals them all. */
export class Nemesis {
  readonly #simulation: Simulation;
  readonly #until: number;
  readonly #meanMs: number;
  readonly #only: readonly string[] | undefined;
  /** Of a layer's checkpoints, before it has saved new ones. */
  readonly #mostDamaged: number;

  /** `only`: of the faults below, and of the checkpoints that a layer keeps no more than half are damaged. */
  constructor(simulation: Simulation, untilMs: number, only?: readonly string[]) {
    this.#only = only;
    this.#mostDamaged = only ? 2 : Number.POSITIVE_INFINITY;
    this.#simulation = simulation;
    this.#until = untilMs;
    this.#meanMs = 10 + simulation.random() ** 2 * 400;
    this.#strikeLater();
  }

  #strikeLater(): void {
    const { queue, random } = this.#simulation;
    queue.after(random() * 2 * this.#meanMs, () => {
      if (queue.now > this.#until) return this.#heal();
      this.#strike();
      this.#strikeLater();
    });
  }

  #strike(): void {
    const { random } = this.#simulation;
    const faults = Object.entries(this.#faults).filter(([name]) => this.#only?.includes(name) ?? true);
    const total = faults.reduce((sum, [, { weight }]) => sum + weight, 0);
    let dice = random() * total;
    for (const [name, { weight, strike }] of faults) {
      dice -= weight;
      if (dice > 0) continue;
      this.#simulation.count(name);
      return strike();
    }
  }

  #heal(): void {
    for (const { disk } of this.#simulation.posts) {
      disk.isFull = false;
      disk.failureRate = 0;
    }
  }

  readonly #faults: Record<string, { readonly weight: number; readonly strike: () => void }> = {
    kill: { weight: 30, strike: () => this.#simulation.kill(this.#onePost()) },
    "kill several": {
      weight: 8,
      strike: () => {
        for (const post of this.#simulation.posts)
          if (this.#simulation.random() < 0.6) this.#simulation.kill(post);
      },
    },
    stop: { weight: 5, strike: () => this.#simulation.terminate(this.#onePost()) },
    "cut link": {
      weight: 15,
      strike: () => {
        const link = this.#oneLink();
        if (link) this.#simulation.network.cut(link);
      },
    },
    "doubled frame": { weight: 3, strike: () => this.#tamper("double") },
    "skewed frame": { weight: 3, strike: () => this.#tamper("skew") },
    "black hole": {
      weight: 10,
      strike: () => this.#simulation.network.silence(`ws://${this.#oneLayer().name}:1`, this.#while(4000)),
    },
    freeze: {
      weight: 6,
      strike: () => this.#simulation.freeze(this.#onePost(), this.#while(5000), false),
    },
    "freeze and replace": {
      weight: 6,
      strike: () => this.#simulation.freeze(this.#onePost(), this.#while(5000), true),
    },
    duplicate: { weight: 4, strike: () => this.#simulation.duplicate(this.#onePost()) },
    poison: { weight: 3, strike: () => this.#simulation.poison(this.#oneLayer()) },
    "power cut": { weight: 8, strike: () => this.#simulation.cutPower(this.#onePost()) },
    "power cut everywhere": {
      weight: 2,
      strike: () => {
        for (const post of this.#simulation.posts) this.#simulation.cutPower(post);
      },
    },
    "disk full": { weight: 4, strike: () => this.#fill() },
    "disk failing": { weight: 4, strike: () => this.#damage() },
    "bit flip": { weight: 4, strike: () => this.#simulation.flipBit(this.#oneLayer(), this.#mostDamaged) },
  };

  #onePost() {
    const { posts, random } = this.#simulation;
    return posts[Math.floor(random() * posts.length)]!;
  }

  #oneLayer() {
    const { posts, random } = this.#simulation;
    return posts[1 + Math.floor(random() * (posts.length - 1))]!;
  }

  /** Mostly short, at times long. */
  #while(mostMs: number): number {
    return this.#simulation.random() ** 3 * mostMs;
  }

  #oneLink(): Connection | undefined {
    const { network, random } = this.#simulation;
    const all = [...network.connections];
    return all[Math.floor(random() * all.length)];
  }

  #tamper(tampering: "double" | "skew"): void {
    const link = this.#oneLink();
    if (link) link.tampering = tampering;
  }

  #fill(): void {
    const { disk } = this.#onePost();
    disk.isFull = true;
    this.#simulation.queue.after(this.#while(1000), () => {
      disk.isFull = false;
    });
  }

  #damage(): void {
    const { disk } = this.#onePost();
    disk.failureRate = 0.3;
    this.#simulation.queue.after(this.#while(1000), () => {
      disk.failureRate = 0;
    });
  }
}
