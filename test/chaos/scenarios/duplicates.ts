import { mkdirSync } from "node:fs";
import { planWorkers, stateFolder, workerArguments } from "../../../services/train/worker-plan.ts";
import type { LogLine } from "../../support/processes/experiment.ts";
import { Worker } from "../../support/processes/worker-process.ts";
import { type Finding, ledgerFinding, timeFinding } from "../finding.ts";
import type { Rig } from "../rig.ts";
import { inRuns } from "./in-runs.ts";

const FENCE_MS = 1000;

interface Case {
  readonly layer: number;
  readonly how: "same folder" | "other folder" | "revived";
}

/**
 * A second process for a layer, on a port of its own, told the same things. In the same folder it is the newer life, and
 * the older one must step down, also one that was stopped meanwhile; in another folder it is a double that nobody takes.
 */
export async function duplicates(
  options: { readonly config: string; readonly set: readonly string[] },
  seed: number,
): Promise<Finding[]> {
  const times: Record<Case["how"], number[]> = { "same folder": [], "other folder": [], revived: [] };
  const cases = [1, 2, 3].flatMap((layer) =>
    (["same folder", "other folder", "revived"] as const).map((how) => ({ layer, how })),
  );
  const outcome = await inRuns(cases, { ...options, seed }, async (rig, each) => {
    const took = each.how === "other folder" ? await double(rig, each.layer) : await newer(rig, each);
    times[each.how].push(took);
  });
  const findings = Object.entries(times).map(([how, took]) => {
    const claim = `a second process of a layer, ${how}: until one of the two ends as fenced`;
    return timeFinding(claim, took, FENCE_MS);
  });
  return [...findings, ledgerFinding(outcome.violations, outcome.runs)];
}

/** The newer life takes over; the supervisor's next one takes over from that. */
async function newer(rig: Rig, { layer, how }: Case): Promise<number> {
  const name = `layer${layer}`;
  const link = rig.links[layer - 1]!;
  const own = link.target;
  if (how === "revived") rig.signal(name, "SIGSTOP");
  const startedAt = Date.now();
  const second = secondOf(rig, layer, name);
  try {
    link.target = await second.port();
    const begun = Date.parse((await second.says("started")).time);
    if (how === "revived") {
      // The first one is stopped: only now do its neighbours hear of the second.
      link.reset();
      await second.says("training");
    }
    const from = how === "revived" ? Date.now() : begun;
    rig.signal(name, "SIGCONT");
    const fenced = await rig.says(name, startedAt, isFenced);
    // The supervisor thinks it left early, and starts it again: a life newer than the second.
    link.target = own;
    await second.says(isFenced);
    return Date.parse(fenced.time) - from;
  } finally {
    link.target = own;
    second.signal("SIGKILL");
    await second.ended;
  }
}

/** It has no past: for its neighbours it is older than, or a double of, the one they know. */
async function double(rig: Rig, layer: number): Promise<number> {
  const link = rig.links[layer - 1]!;
  const own = link.target;
  const second = secondOf(rig, layer, `double-of-${layer}-${Date.now()}`);
  try {
    link.target = await second.port();
    link.reset();
    const begun = Date.parse((await second.says("started")).time);
    return Date.parse((await second.says(isFenced)).time) - begun;
  } finally {
    link.target = own;
    second.signal("SIGKILL");
    await second.ended;
  }
}

function secondOf(rig: Rig, layer: number, folder: string): Worker {
  const { id, path } = rig.run;
  const plan = planWorkers(id, path, rig.ports)[layer]!;
  const args = workerArguments({ ...plan, port: 0, successorPort: rig.links[layer]?.port });
  const state = stateFolder({ folder: path, name: folder });
  mkdirSync(state, { recursive: true });
  args[args.indexOf("--state") + 1] = state;
  return new Worker(plan.name, args);
}

function isFenced({ msg }: LogLine): boolean {
  return msg === "fenced";
}
