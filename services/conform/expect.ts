import type { Fields, Frame, Tensor } from "./frame.ts";
import { Broken } from "./peer.ts";

export function rowsOf({ activation }: Frame): number {
  return (activation as Tensor).shape[0];
}

export function requireFields(frame: Fields, expected: string): void {
  const found = Object.keys(frame).sort().join(" ");
  if (found !== expected) throw new Broken(`expected ${frame.kind} with ${expected}, got ${found}`);
}

/** An answer without numbers to this item: it says which of those with the same number it is to. */
export function answerTo({ kind, batch, evaluation, snapshot }: Frame): Frame {
  if (kind === "barrier") return { kind: "gradient", batch, snapshot };
  if (evaluation === undefined) return { kind: "gradient", batch };
  return { kind: "gradient", batch, part: (evaluation as Fields).part };
}

/** Whether this is an answer to that item, with numbers or without. */
export function requireAnswer(frame: Frame, item: Frame): void {
  const answer = answerTo(item);
  if (frame.batch !== item.batch)
    throw new Broken(`expected the answer to ${item.batch}, got ${frame.batch}`);
  const fields = Object.keys("gradient" in frame ? { ...answer, gradient: 0 } : answer);
  requireFields(frame, fields.sort().join(" "));
  for (const name of ["part", "snapshot"])
    if (frame[name] !== answer[name])
      throw new Broken(`expected the answer to ${name} ${answer[name]}, got ${frame[name]}`);
}
