import type { AnsweredItem, BatchItem, Item, Payloads } from "./items.ts";

/** Heard and not dealt with, in order: at most `window` items, a correction behind each batch, and one end. */
export type Inbox<P extends Payloads> = readonly Item<P>[];

/** Whether it takes room in the window. */
export function isAnswered<P extends Payloads>(item: Item<P>): item is AnsweredItem<P> {
  return item.kind !== "end" && item.kind !== "correction";
}

/** A correction comes directly after its batch, or means nothing: so no more of them wait than batches do. */
export function isCorrectionDue<P extends Payloads>(
  inbox: Inbox<P>,
  guessed: BatchItem<P> | undefined,
  batch: number,
): boolean {
  const last = inbox.at(-1) ?? guessed;
  return last?.kind === "batch" && last.batch === batch;
}

/** Only the newest end counts. */
export function withoutEnd<P extends Payloads>(inbox: Inbox<P>): Inbox<P> {
  return inbox.filter((item) => item.kind !== "end");
}
