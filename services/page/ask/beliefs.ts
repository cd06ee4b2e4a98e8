import type { DataFacts } from "../../../shared/config/data-facts.ts";
import { idNames } from "../../../shared/data/decode-text.ts";

/** One class, bit or value, as a room shows it. */
interface Bar {
  readonly name: string;
  /** Of the bar's whole length, 0 to 1. */
  readonly share: number;
  readonly text: string;
  readonly isBest: boolean;
}

interface Belief {
  /** What it says, in a word or a few: "3", "is male, has children". */
  readonly says: string;
  /** How sure it is of that; undefined for values. */
  readonly sure: string | undefined;
  readonly bars: readonly Bar[];
}

/** More classes than that are shown by the likeliest. */
const MOST_BARS = 10;

/** What a room believes, in the words of the data. */
export function beliefOf(beliefs: readonly number[], data: DataFacts): Belief {
  const names = namesOf(data, beliefs.length);
  if (data.judged === "values") return valuesOf(beliefs, names, data);
  const best = beliefs.indexOf(Math.max(...beliefs));
  const isBits = data.judged === "bits";
  const bars = beliefs.map((belief, index) => ({
    name: names[index]!,
    share: Math.min(1, Math.max(0, belief)),
    text: percent(belief),
    isBest: isBits ? belief > 0.5 : index === best,
  }));
  if (isBits)
    return { says: bitsOf(beliefs, names), sure: percent(sureOfBits(beliefs)), bars: bars.slice(0, 16) };
  return { says: names[best]!, sure: percent(beliefs[best]!), bars: likeliest(bars) };
}

function likeliest(bars: readonly Bar[]): readonly Bar[] {
  if (bars.length <= MOST_BARS) return bars;
  return bars.toSorted((one, other) => other.share - one.share).slice(0, MOST_BARS);
}

function valuesOf(beliefs: readonly number[], names: readonly string[], { labels }: DataFacts): Belief {
  const texts = beliefs.map((belief, index) => {
    const { mean = 0, deviation = 1 } = labels?.[index] ?? {};
    return (mean + belief * deviation).toPrecision(4);
  });
  const bars = texts.map((text, index) => ({
    ...{ name: names[index]!, text, isBest: false },
    // Three deviations to either side.
    share: Math.min(1, Math.max(0, (beliefs[index]! + 3) / 6)),
  }));
  return { says: texts.map((text, index) => `${names[index]} ${text}`).join(", "), sure: undefined, bars };
}

/** Numbered bits as they stand, named ones by what is true. */
function bitsOf(beliefs: readonly number[], names: readonly string[]): string {
  const isOn = (belief: number) => belief > 0.5;
  if (names.every((name, index) => name === String(index)))
    return beliefs.map((belief) => (isOn(belief) ? "1" : "0")).join("");
  return names.filter((_, index) => isOn(beliefs[index]!)).join(", ") || "none of them";
}

/** That all of them are right, if they go wrong by themselves. */
function sureOfBits(beliefs: readonly number[]): number {
  return beliefs.reduce((product, belief) => product * Math.max(belief, 1 - belief), 1);
}

function namesOf(facts: DataFacts, count: number): string[] {
  const { labels, sequence, window } = facts;
  const letters = idNames(facts);
  return Array.from({ length: count }, (_, index) => {
    if (sequence || window !== undefined) return letterOf(letters?.[index] ?? String.fromCharCode(index));
    return labels?.[index]?.name ?? String(index);
  });
}

function letterOf(character: string): string {
  if (character === " ") return "space";
  return character === "\n" ? "new line" : character;
}

/** What the held-out example is, in the same words; undefined where that is not known. */
export function truthOf(labels: readonly number[] | undefined, data: DataFacts): string | undefined {
  if (labels === undefined) return undefined;
  const own = data.sequence ? labels.slice(-data.sequence.vocabulary) : labels;
  return beliefOf(own, data).says;
}

export function percent(share: number): string {
  const whole = Math.round(100 * share);
  return whole === 100 && share < 1 ? "> 99 %" : `${whole} %`;
}
