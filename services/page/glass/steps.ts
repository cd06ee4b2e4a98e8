import { figure } from "../../../shared/record/numbers.ts";
import type { Moment, Picture, Seen, SeenBy } from "../../../shared/record/seen.ts";
import { spokenName } from "../../../shared/record/worker-name.ts";

/** Something that happened to the batch. */
export interface Step {
  readonly worker: string;
  readonly moment: Moment;
  /** Milliseconds after the first of all. */
  readonly at: number;
  readonly words: string;
  readonly pictures: readonly {
    readonly name: string;
    readonly picture: Picture;
    readonly isSize?: boolean;
  }[];
}

/** A stretch in which a layer could not move its weights, since it waited for its target. */
export interface Wait {
  readonly worker: string;
  readonly from: number;
  readonly to: number;
}

/** In order of time; what is not told of is left out. */
export function stepsOf(seen: readonly SeenBy[]): Step[] {
  const began = beginningOf(seen);
  const all = seen.flatMap((one) =>
    Object.entries(one.moments).flatMap(([name, at]): Step[] => {
      const moment = name as Moment;
      const words = wordsOf(one, moment);
      if (words === undefined) return [];
      return [{ worker: one.worker, moment, at: at - began, words, pictures: picturesOf(one, moment) }];
    }),
  );
  return all.sort((a, b) => a.at - b.at);
}

/** Who waited for whom: from when the output was there until the target had come. */
export function waitsOf(seen: readonly SeenBy[]): Wait[] {
  const began = beginningOf(seen);
  return seen.flatMap(({ worker, learns, moments }) => {
    if (learns !== "locked" && learns !== "late") return [];
    const { computed, answered } = moments;
    if (computed === undefined || answered === undefined) return [];
    return [{ worker, from: computed - began, to: answered - began }];
  });
}

/** One sentence of who waited. */
export function verdictOn(seen: readonly SeenBy[]): string {
  const waits = waitsOf(seen);
  if (waits.length > 0)
    return `${waits.map(({ worker, from, to }) => `${spokenName(worker)} waited ${milliseconds(to - from)}`).join(", ")} for what came after it.`;
  const guessed = seen.filter(({ learns }) => learns === "decoupled" || learns === "local");
  const isFirst = ({ moments: { updated = 0, answered } }: Seen) =>
    answered === undefined || updated < answered;
  if (guessed.length === 0 || !guessed.every(isFirst)) return "";
  const all = seen.some(({ refusal }) => refusal !== undefined) ? "every layer that told" : "every layer";
  return `Nobody waited: ${all} had moved its weights before anything came back for this batch.`;
}

/** By how much the clocks of the workers' machines contradict each other, in milliseconds; 0 where they do not. */
export function contradictionIn(seen: readonly SeenBy[]): number {
  const early = seen.slice(1).map(({ moments: { received } }, index) => {
    const { sent } = seen[index]!.moments;
    return received === undefined || sent === undefined ? 0 : sent - received;
  });
  return Math.max(0, ...early);
}

export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
}

function beginningOf(seen: readonly SeenBy[]): number {
  return Math.min(...seen.flatMap(({ moments }) => Object.values(moments)));
}

function wordsOf(seen: Seen, moment: Moment): string | undefined {
  const { moments, learns, staleness, cosine, loss, moved = [] } = seen;
  const took = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? "" : milliseconds(to - from);
  switch (moment) {
    case "received":
      return "receives the batch: the activation of the layer before, an example a row";
    case "began":
      return undefined;
    case "computed":
      return "has its output, but cannot learn: it does not know the gradient, and waits";
    case "updated":
      return `${how(learns, loss, took(moments.computed, moments.answered))}${byHowMuch(moved)}`;
    case "sent":
      return learns === undefined ? "sends the batch" : "hands its output to the network";
    case "answered":
      if (learns === undefined) return "hears that layer 1 has dealt with it";
      return `hears its target${agreement(cosine)}${late(staleness)}`;
    case "learned":
      return `teaches its generator with that target${byHowMuch(moved, "generator.")}`;
  }
}

function how(learns: Seen["learns"], loss: number | undefined, waited: string): string {
  switch (learns) {
    case "head":
      return `has the loss, ${figure(loss)}: its gradient is no guess, and it moves its weights`;
    case "local":
      return "has the loss of a head of its own, and moves its weights";
    case "locked":
    case "late":
      return `moves its weights at last, after ${waited} of waiting`;
    default:
      return "guesses the gradient at its output and moves its weights at once, asking nobody";
  }
}

/** Of the tensors whose names begin so, together. */
function byHowMuch(moved: NonNullable<Seen["moved"]>, beginning = "layer."): string {
  const own = moved.filter(({ name }) => name.startsWith(beginning));
  const [by, from] = [Math.hypot(...own.map((one) => one.by)), Math.hypot(...own.map((one) => one.from))];
  return from > 0 ? `, by ${figure((100 * by) / from)} % of their length` : "";
}

function agreement(cosine: number | undefined): string {
  return cosine === undefined ? "" : `: guess and target have a cosine of ${figure(cosine)}`;
}

function late(staleness: number | undefined): string {
  if (staleness === undefined) return "";
  if (staleness === 0) return "; it has not moved meanwhile";
  return `; it has moved ${staleness === 1 ? "once" : `${staleness} times`} meanwhile`;
}

function picturesOf({ pictures = {} }: Seen, moment: Moment): Step["pictures"] {
  const shown: Partial<Record<Moment, readonly (readonly [string, keyof typeof pictures, boolean?])[]>> = {
    received: [["activation in", "input"]],
    computed: [["activation out", "output"]],
    updated: [
      ["activation out", "output"],
      ["gradient followed", "guess"],
      ["which weights moved", "weights", true],
    ],
    answered: [
      ["guess", "guess"],
      ["target", "target"],
    ],
  };
  return (shown[moment] ?? []).flatMap(([name, of, isSize = false]) => {
    const picture = pictures[of];
    return picture ? [{ name, picture, isSize }] : [];
  });
}
