import type { WorkerView } from "./hub-api.ts";

/** At work, waiting, in trouble, silent, gone without a word, left in order, not come yet: every viewer has a sign for each. */
export type Tone = "lit" | "idle" | "held" | "silent" | "dark" | "done" | "absent";

interface Condition {
  readonly tone: Tone;
  /** A word or two: "training", "unreachable", "exit 137". */
  readonly state: string;
}

/** How a worker stands, in a word. What a silent worker last said of its state is not its state. */
export function conditionOf({
  contact,
  state = "starting",
  why = "gone",
}: Pick<WorkerView, "contact" | "state" | "why">): Condition {
  switch (contact) {
    case "absent":
      return { tone: "absent", state: "not heard yet" };
    case "dead":
      return { tone: "dark", state: "dead" };
    case "unreachable":
      return { tone: "silent", state: "unreachable" };
    case "gone":
      return { tone: "done", state: why.length > 24 ? `${why.slice(0, 23)}…` : why };
    case "connected":
      // A newer version may say others.
      return { tone: TONES[state] ?? "idle", state };
  }
}

const TONES: Readonly<Record<string, Tone>> = {
  starting: "idle",
  waiting: "idle",
  training: "lit",
  evaluating: "lit",
  holding: "held",
  paused: "held",
  stopping: "idle",
  finished: "done",
};
