import { Refusal } from "../train/refusal.ts";

/** Throws a Refusal at what is none, or below 1. */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Refusal(`${option} is ${text}, expected a whole number from 1`);
}

/** For commander: an option that may be given many times. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
