import { weightsDigest } from "../../../shared/checkpoint/digest.ts";
import { check, fromRanges } from "../../../shared/checkpoint/ledger.ts";
import type { Summary } from "../../../shared/record/summary.ts";
import type { Machine } from "../machine.ts";
import type { Violate } from "./invariant.ts";
import { newestOn } from "./whole-checkpoints.ts";

/** What must hold at the end: every layer has saved that it learnt every batch once, and reported what it saved. */
export function checkOutcome(
  layers: readonly Machine[],
  summary: Summary,
  batches: number,
  violate: Violate,
): void {
  for (const post of layers) {
    // The very last file may be what a bit was flipped in.
    if (post.checkpoints.isDamagedAt(batches - 1)) continue;
    for (const what of troublesOf(post, summary, batches)) violate("exactly once", `${post.name}: ${what}`);
  }
}

function troublesOf({ disk, layer }: Machine, summary: Summary, batches: number): string[] {
  const final = newestOn(disk);
  const troubles = final?.finished ? check(fromRanges(final.ledger), batches) : ["never finished"];
  const report = summary.layers.find((each) => each.layer === layer);
  if (report) troubles.push(...check(fromRanges(report.applied), batches).map((each) => `reported: ${each}`));
  if (final && report?.digest !== weightsDigest(final.tensors))
    troubles.push("reported another digest than it saved");
  return troubles;
}
