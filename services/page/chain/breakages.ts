import type { Command, WorkerView } from "../../../shared/record/hub-api.ts";
import type { Outage } from "../../../shared/record/outages.ts";

interface Breakage {
  readonly command: Command;
  /** On its button. */
  readonly name: string;
}

/** What can be done to a worker as it stands, or undone. */
export function breakagesOf(
  { name, contact, state, why }: WorkerView,
  hasSuccessor: boolean,
  outages: readonly Outage[],
): Breakage[] {
  if (contact === "gone" && why !== "finished") return [{ command: "start", name: "start" }];
  if (contact !== "connected") return [];
  const isDelayed = outages.some(
    ({ worker, kind, to }) => worker === name && kind === "delayed" && to === undefined,
  );
  return [
    { command: "crash", name: "kill" },
    state === "paused" ? { command: "resume", name: "resume" } : { command: "pause", name: "pause" },
    ...(hasSuccessor ? [isDelayed ? UNDELAY : DELAY] : []),
  ];
}

const DELAY: Breakage = { command: "delay", name: "delay" };
const UNDELAY: Breakage = { command: "undelay", name: "undelay" };
