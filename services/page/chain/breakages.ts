import type { Command, WorkerView } from "../../../shared/record/hub-api.ts";
import type { Outage } from "../../../shared/record/outages/outages.ts";

/** What can be done to a worker as it stands, or undone. */
export function breakagesOf(
  { name, contact, state, why }: WorkerView,
  hasSuccessor: boolean,
  outages: readonly Outage[],
): Command[] {
  if (contact === "gone" && why !== "finished") return ["start"];
  if (contact !== "connected") return [];
  const isDelayed = outages.some(
    ({ worker, kind, to }) => worker === name && kind === "delayed" && to === undefined,
  );
  const pause = state === "paused" ? "resume" : "pause";
  const delay = isDelayed ? "undelay" : "delay";
  return hasSuccessor ? ["kill", pause, delay] : ["kill", pause];
}
