import type { Config } from "../config/config.ts";
import { figure } from "./numbers.ts";

/** What a loss in nats says of a text, in other words. */
export interface TextLoss {
  /** What the network predicts. */
  readonly unit: "character" | "byte" | "token";
  /** Of so many equally likely units it would be as unsure: e to the loss. */
  readonly perplexity: number;
  /** Bits that one unit takes at this loss. */
  readonly bits: number;
}

type Told = Pick<Config, "data" | "loss">;

const UNITS: Readonly<Record<string, TextLoss["unit"]>> = {
  characters: "character",
  bytes: "byte",
  gpt2: "token",
};

/** What the network predicts next; undefined where its data are no text, or its loss is none of probabilities. */
export function textUnit({ data, loss }: Told): TextLoss["unit"] | undefined {
  if (data.set !== "text" || loss !== "softmax-cross-entropy") return undefined;
  return UNITS[String(data.units)];
}

/** `nats`: the mean loss of a unit. */
export function textLoss(told: Told, nats: number | undefined): TextLoss | undefined {
  const unit = textUnit(told);
  return unit && nats !== undefined ? textLossOf(unit, nats) : undefined;
}

export function textLossOf(unit: TextLoss["unit"], nats: number): TextLoss {
  return { unit, perplexity: Math.exp(nats), bits: nats / Math.LN2 };
}

/** "loss 0.0812"; of a text "loss 1.88, perplexity 6.55, 2.71 bits a character". */
export function lossWords(told: Told, nats: number): string {
  const text = textLoss(told, nats);
  const words = text && `, perplexity ${figure(text.perplexity)}, ${figure(text.bits)} bits a ${text.unit}`;
  return `loss ${figure(nats)}${words ?? ""}`;
}
