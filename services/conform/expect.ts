import type { Fields, Frame, Tensor } from "./frame.ts";
import { Broken } from "./peer.ts";

export function rowsOf({ activation }: Frame): number {
  return (activation as Tensor).shape[0];
}

export function requireFields(frame: Fields, expected: string): void {
  const found = Object.keys(frame).sort().join(" ");
  if (found !== expected) throw new Broken(`expected ${frame.kind} with ${expected}, got ${found}`);
}
