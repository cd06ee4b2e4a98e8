import type { Item, Payloads } from "./items.ts";
import type { Answered } from "./successor-state.ts";

/** What a layer hears of. */
export type LayerEvent<P extends Payloads> =
  | { readonly event: "predecessorLinked" }
  | { readonly event: "predecessorLost" }
  | { readonly event: "heard"; readonly item: Item<P> }
  | { readonly event: "released" }
  | { readonly event: "successorLinked"; readonly need: number }
  | { readonly event: "successorLost" }
  /** `target` is absent where the answer only acknowledges. */
  | { readonly event: "answered"; readonly item: Answered; readonly target?: P["target"] }
  | { readonly event: "rewound"; readonly need: number }
  | { readonly event: "finished" }
  /** The checkpoint of the effect "checkpoint" is durable, or failed. */
  | { readonly event: "checkpointed" }
  /** The checkpoint of the effect "save" is durable. */
  | { readonly event: "saved" }
  | { readonly event: "paused" }
  | { readonly event: "unpaused" };
