import { need } from "../../shared/delivery/delivery-state.ts";
import { Chain, type ChainOptions } from "./transcript-chain.ts";
import type { Life } from "./transcript-life.ts";

const DEFAULTS: ChainOptions = {
  layers: 2,
  batches: 6,
  window: 2,
  budget: 4,
  evaluate: 100,
  parts: 1,
  snapshot: 0,
  staleness: undefined,
  unlocked: false,
};

/**
 * Plays the commands of a transcript ("> …") to the real delivery of a source and its layers, and gives the transcript
 * as it is now: comments and commands as they were, and beneath each command what came of it.
 *
 *     > chain layers=2 window=2   begins; see DEFAULTS
 *     > link 0 1                  0 (the source) dials layer 1; its second life is called 1.2
 *     > deliver                   everything that is on its way, until nothing is
 *     > deliver 0 1 2             two messages from 0 to 1
 *     > cut 0 1   > kill 1   > start 1   > save 1   > saved 1   > state 1   > release 1   > snapshotted 3
 */
export function replay(transcript: string): string {
  let chain = new Chain(DEFAULTS);
  const lines = transcript.split("\n").filter((line) => !line.startsWith("  "));
  return lines
    .flatMap((line) => {
      if (!line.startsWith("> ")) return [line];
      const [command = "", ...words] = line.slice(2).split(" ");
      if (command === "chain") chain = new Chain(optionsIn(words));
      else carryOut(chain, command, words);
      return [line, ...chain.told.splice(0).map((told) => `  ${told}`)];
    })
    .join("\n");
}

function optionsIn(words: readonly string[]): ChainOptions {
  const given = words.map((word) => {
    const [name = "", value] = word.split("=");
    if (!Object.hasOwn(DEFAULTS, name)) throw new Error(`Cannot read transcript: unknown option ${name}`);
    return [name, value === undefined ? true : Number(value)];
  });
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

function carryOut(chain: Chain, command: string, words: readonly string[]): void {
  const [one = "", other = "", count] = words;
  switch (command) {
    case "link":
      return chain.link(chain.life(one), chain.life(other));
    case "cut":
      return chain.cut(chain.life(one), chain.life(other), "cut");
    case "deliver":
      return one === "" ? chain.deliverAll() : chain.deliver(one, other, Number(count ?? 1));
    case "kill":
      return chain.kill(chain.life(one), "killed");
    case "start":
      return chain.start(Number(one));
    case "release":
      return chain.life(one).take({ event: "released" });
    case "save":
      return chain.life(one).save();
    case "saved":
      return chain.life(one).take({ event: "saved" });
    case "snapshotted":
      return chain.life("0").take({ event: "snapshotted", batch: Number(one) });
    case "state":
      return void chain.told.push(stateOf(chain.life(one)));
    default:
      throw new Error(`Cannot read transcript: unknown command ${command}`);
  }
}

function stateOf({ name, layer, source, isHead }: Life): string {
  if (!layer) return `${name}: next is ${source!.next}, in flight ${list(source!.inFlight)}`;
  const { cursor, successor, inbox, sinceTarget } = layer;
  const parts = [`cursor ${cursor}`, `needs ${need(layer)}`, `waiting ${list(inbox)}`];
  if (isHead) parts.push("head");
  else if (successor.phase === "away") parts.push(`successor away, ${sinceTarget} since the last target`);
  else parts.push(`successor needs ${successor.need}, in flight ${list(successor.inFlight)}`);
  return `${name}: ${parts.join("; ")}`;
}

function list(items: readonly { readonly kind: string; readonly batch?: number }[]): string {
  if (items.length === 0) return "none";
  return items
    .map(({ kind, batch }) => (kind === "batch" ? batch : `${kind} ${batch ?? ""}`.trim()))
    .join(", ");
}
