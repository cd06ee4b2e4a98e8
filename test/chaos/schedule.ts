import type { Direction } from "../support/network/proxy.ts";
import { seeded } from "../support/seeded.ts";

export type Fault =
  | { readonly do: "kill"; readonly who: readonly string[] }
  | { readonly do: "stop"; readonly who: string; readonly forMs: number }
  | {
      readonly do: "partition";
      readonly link: number;
      readonly way: Direction | "both";
      readonly forMs: number;
    }
  | { readonly do: "flap"; readonly link: number; readonly times: number; readonly forMs: number }
  | { readonly do: "reset"; readonly link: number; readonly afterBytes: number; readonly forMs: number }
  | { readonly do: "slice"; readonly link: number; readonly forMs: number }
  | { readonly do: "delay"; readonly link: number; readonly forMs: number }
  | { readonly do: "corrupt"; readonly link: number; readonly perByte: number; readonly forMs: number };

export interface Strike {
  /** Since the strike before. */
  readonly afterMs: number;
  readonly fault: Fault;
}

/** Faults one after another, of the kinds given, at random: what they are and when follows from the seed. */
export function schedule(
  seed: number,
  names: readonly string[],
  {
    strikes,
    kinds,
    everyMs,
  }: {
    readonly strikes: number;
    readonly kinds: readonly Fault["do"][];
    readonly everyMs: readonly [least: number, most: number];
  },
): Strike[] {
  const dice = new Dice(seed);
  return Array.from({ length: strikes }, () => ({
    afterMs: dice.between(...everyMs),
    fault: draw(dice, dice.one(kinds), names),
  }));
}

class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  between(least: number, most: number): number {
    return Math.round(least + this.#random() * (most - least));
  }

  one<Thing>(things: readonly Thing[]): Thing {
    return things[Math.floor(this.#random() * things.length)]!;
  }

  some<Thing>(things: readonly Thing[], count: number): Thing[] {
    const left = [...things];
    return Array.from({ length: count }, () => left.splice(Math.floor(this.#random() * left.length), 1)[0]!);
  }
}

function draw(dice: Dice, kind: Fault["do"], names: readonly string[]): Fault {
  const link = dice.between(0, names.length - 2);
  switch (kind) {
    case "kill":
      return { do: kind, who: [dice.one(names)] };
    case "stop":
      return { do: kind, who: dice.one(names), forMs: dice.between(100, 4500) };
    case "partition":
      return { do: kind, link, way: dice.one(["both", "forward", "back"]), forMs: dice.between(100, 4500) };
    case "flap":
      return { do: kind, link, times: dice.between(3, 10), forMs: dice.between(50, 300) };
    case "reset":
      return { do: kind, link, afterBytes: dice.between(1000, 60_000), forMs: 1500 };
    case "slice":
      return { do: kind, link, forMs: dice.between(300, 1500) };
    case "delay":
      return { do: kind, link, forMs: dice.between(300, 2000) };
    case "corrupt":
      return { do: kind, link, perByte: 1e-5, forMs: dice.between(200, 1000) };
  }
}

/** Kills of `several` workers at once, the source always among them. */
export function massacres(seed: number, names: readonly string[], count: number): Strike[] {
  const dice = new Dice(seed);
  const layers = names.slice(1);
  return Array.from({ length: count }, () => ({
    afterMs: dice.between(1000, 3000),
    fault: {
      do: "kill",
      who: [names[0]!, ...dice.some(layers, dice.between(2, Math.min(4, layers.length)))],
    },
  }));
}
