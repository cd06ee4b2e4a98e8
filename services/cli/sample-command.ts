import type { Command } from "commander";
import { type SampleRequest, sample } from "../sample/sample.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { wholeNumber } from "./arguments.ts";
import { runAt } from "./model/open-run.ts";

export function addSample(program: Command, edges: Edges): void {
  program
    .command("sample")
    .description("let a run that learns from text write some, also while it trains")
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--prompt <text>", "what it goes on from", "\n")
    .option("--length <n>", "characters, bytes or tokens that it writes", "500")
    .option("--temperature <t>", "below 1 bolder guesses are rarer; 0: always the likeliest", "0.8")
    .option("--top-k <n>", "it draws from so many of the likeliest (default: from all)")
    .option("--seed <n>", "the same seed writes the same", "1")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .action(async (wanted: string | undefined, options: SampleOptions) => {
      const request = requestOf(options);
      await sample(runAt(options.runs, wanted), request, edges);
    });
}

interface SampleOptions {
  readonly prompt: string;
  readonly length: string;
  readonly temperature: string;
  readonly topK?: string;
  readonly seed: string;
  readonly runs: string;
}

function requestOf({ prompt, length, temperature, topK, seed }: SampleOptions): SampleRequest {
  if (prompt === "") throw new Refusal("Cannot sample: --prompt is empty, expected at least one character");
  const warmth = Number(temperature);
  if (temperature.trim() === "" || !(warmth >= 0 && Number.isFinite(warmth)))
    throw new Refusal(`--temperature is ${temperature}, expected a number from 0`);
  return {
    prompt,
    length: wholeNumber("--length", length),
    temperature: warmth,
    topK: topK === undefined ? Number.POSITIVE_INFINITY : wholeNumber("--top-k", topK),
    seed: wholeNumber("--seed", seed),
  };
}
