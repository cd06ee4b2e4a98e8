import type { LayerEffect } from "../../shared/delivery/layer-effect.ts";
import type { SourceEffect } from "../../shared/delivery/source-delivery.ts";
import type { Words } from "./tried.ts";

export function sourceWords(effect: SourceEffect): string {
  switch (effect.effect) {
    case "sendBatch":
      return `send ${effect.batch}`;
    case "sendEvaluation":
      return `send held-out ${effect.part + 1} before ${effect.batch}`;
    case "sendBarrier":
      return `send barrier before ${effect.batch}`;
    case "hangUp":
      return "hang up";
    case "end":
      return "send end";
  }
}

export function layerWords(effect: LayerEffect<Words>): string {
  switch (effect.effect) {
    case "update":
    case "rehearse":
      return `${effect.effect} ${effect.item.batch}${effect.ticket === undefined ? "" : ", send it on"}`;
    case "evaluate":
    case "snapshot":
      return `${effect.effect} ${effect.item.batch}${effect.isSent ? ", send it on" : ""}`;
    case "learn":
      return `learn ${effect.batch} at age ${effect.age}`;
    case "forget":
      return `forget ${effect.tickets.length} sent`;
    case "rewind":
      return `rewind to ${effect.need}`;
    case "hangUp":
      return "hang up";
    default:
      return "item" in effect ? `${effect.effect} ${effect.item.batch}` : effect.effect;
  }
}
