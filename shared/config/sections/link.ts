import type * as z from "zod";
import { map, wholeFrom } from "../../schema/fields.ts";
import type { Notes } from "../notes.ts";

/** A timer of Node's fires at once beyond 2³¹ ms, and a link is lost after three heartbeats. */
const MOST_MS = 500_000_000;

export const linkFields = map({
  heartbeatMs: wholeFrom(1, MOST_MS)
    .default(800)
    .describe("Between two signs of life on a link; a third without one, and it is lost."),
  handshakeMs: wholeFrom(1, MOST_MS).default(5000).describe("For a new link to say who it is."),
  backoffMs: map({
    first: wholeFrom(1, MOST_MS)
      .default(50)
      .describe("Longest pause before the first new attempt; doubles each time."),
    most: wholeFrom(1, MOST_MS).default(250).describe("Longest pause ever."),
  })
    .prefault({})
    .describe("Pauses between attempts to connect, drawn at random below these bounds."),
})
  .prefault({})
  .describe("Timings of a connection.");

export function checkBackoff({ backoffMs }: z.output<typeof linkFields>, notes: Notes): void {
  if (backoffMs.most < backoffMs.first) {
    const what = `link.backoffMs.first is ${backoffMs.first}, expected no less`;
    notes.wrong(["link", "backoffMs", "most"], backoffMs.most, what);
  }
}
