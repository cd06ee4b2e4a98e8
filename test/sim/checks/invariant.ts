/** What must hold after every event, by name. */
export type Invariant =
  | "exactly once"
  | "own gradient"
  | "corrected"
  | "window"
  | "memory"
  | "staleness budget"
  | "fenced"
  | "durable"
  | "undamaged"
  | "snapshot"
  | "finite"
  | "released once"
  | "no bug"
  | "ends";

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

/** Writes down that it does not hold, and what was seen. */
export type Violate = (invariant: Invariant, what: string) => void;
