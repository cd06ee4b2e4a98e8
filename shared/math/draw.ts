import { seededRandom } from "./random.ts";

export interface DrawOptions {
  /** Logits are divided by it: below 1 the likely becomes likelier; at 0 only the likeliest is drawn. */
  readonly temperature: number;
  /** Only so many of the likeliest can be drawn. */
  readonly topK: number;
}

/** Draws a place of `logits` by its probability; the same seed gives the same draws. Of equals the first is likelier. */
export function drawer(seed: number, { temperature, topK }: DrawOptions): (logits: Float32Array) => number {
  const random = seededRandom(seed);
  return (logits) => {
    const likeliest = Array.from(logits.keys()).sort((one, other) => logits[other]! - logits[one]!);
    const [first] = likeliest;
    if (temperature === 0) return first!;
    const among = likeliest.slice(0, topK);
    const weights = among.map((place) => Math.exp((logits[place]! - logits[first!]!) / temperature));
    let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return among[index]!;
    }
    // Rounding left nothing of the last weight.
    return among.at(-1)!;
  };
}
