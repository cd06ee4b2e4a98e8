import type { Rig } from "./rig.ts";
import type { Fault, Strike } from "./schedule.ts";

export interface Kill {
  readonly who: string;
  /** Of the wall clock, as logs have it. */
  readonly atMs: number;
}

/** Brings a schedule over a rig, and remembers whom it killed when. */
export class Nemesis {
  readonly kills: Kill[] = [];
  readonly struck: Fault[] = [];
  readonly #rig: Rig;
  readonly #underWay = new Set<Promise<void>>();

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  /** Until the schedule is over or the run is; what is left of the schedule. All is healed then. */
  async bring(strikes: readonly Strike[]): Promise<readonly Strike[]> {
    let next = 0;
    for (; next < strikes.length; next++) {
      const { afterMs, fault } = strikes[next]!;
      if (!(await this.#isStillRunningAfter(afterMs))) break;
      this.#strike(fault);
    }
    await Promise.all(this.#underWay);
    return strikes.slice(next);
  }

  async #isStillRunningAfter(ms: number): Promise<boolean> {
    await Promise.race([after(ms), this.#rig.outcome]);
    return !this.#rig.isOver;
  }

  #strike(fault: Fault): void {
    this.struck.push(fault);
    const lasting = this.#begin(fault).finally(() => this.#underWay.delete(lasting));
    this.#underWay.add(lasting);
  }

  async #begin(fault: Fault): Promise<void> {
    const link = "link" in fault ? this.#rig.links[fault.link]! : undefined;
    switch (fault.do) {
      case "kill":
        for (const who of fault.who) this.#kill(who);
        return;
      case "stop":
        return this.#stop(fault.who, fault.forMs);
      case "partition":
        link!.impair({ blackHole: true }, fault.way);
        await after(fault.forMs);
        return link!.impair({ blackHole: false });
      case "flap":
        for (let time = 0; time < fault.times; time++) {
          link!.impair({ blackHole: time % 2 === 0 });
          if (time % 2 === 1) link!.reset();
          await after(fault.forMs);
        }
        return link!.impair({ blackHole: false });
      case "reset":
        link!.impair({ resetAfterBytes: fault.afterBytes });
        await after(fault.forMs);
        return link!.impair({ resetAfterBytes: Number.POSITIVE_INFINITY });
      case "slice":
        link!.impair({ sliceBytes: 1 });
        await after(fault.forMs);
        return link!.impair({ sliceBytes: Number.POSITIVE_INFINITY });
      case "delay":
        link!.impair({ jitterMs: 100 });
        await after(fault.forMs);
        return link!.impair({ jitterMs: 0 });
      case "corrupt":
        link!.impair({ corruptPerByte: fault.perByte });
        await after(fault.forMs);
        return link!.impair({ corruptPerByte: 0 });
    }
  }

  #kill(who: string): void {
    const atMs = Date.now();
    // One that was stopped dies of it as well.
    if (this.#rig.signal(who, "SIGKILL")) this.kills.push({ who, atMs });
  }

  /** The same process goes on later, unless somebody killed it meanwhile. */
  async #stop(who: string, forMs: number): Promise<void> {
    const pid = this.#rig.pid(who);
    if (!this.#rig.signal(who, "SIGSTOP")) return;
    await after(forMs);
    if (this.#rig.pid(who) === pid) this.#rig.signal(who, "SIGCONT");
  }
}

/**
 * Milliseconds from each kill to the first update of that worker's next life (the source: to its link, over which it
 * feeds at once). Kills of a worker that had not got so far yet since the last one count as one with that.
 */
export function recoveries(rig: Rig, kills: readonly Kill[]): number[] {
  const times = new Map<string, number[]>();
  for (const name of rig.names) {
    const word = name === "source" ? "linked" : "training";
    times.set(
      name,
      rig
        .log(name)
        .filter(({ msg }) => msg === word)
        .map(({ time }) => Date.parse(time)),
    );
  }
  const unanswered = new Map<string, number>();
  return kills.flatMap(({ who, atMs }) => {
    const up = times.get(who)!.find((time) => time >= atMs);
    if (up === undefined || unanswered.get(who) === up) return [];
    unanswered.set(who, up);
    return [up - atMs];
  });
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
