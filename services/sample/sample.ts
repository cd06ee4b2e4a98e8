import { dataFacts } from "../../shared/config/data-facts.ts";
import { EncodeError } from "../../shared/data/encode.ts";
import { type DrawOptions, drawer } from "../../shared/math/draw.ts";
import { openModel } from "../model/model.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import type { RunFolder } from "../train/run-folder.ts";
import { LanguageModel } from "./language-model.ts";

export interface SampleRequest extends DrawOptions {
  readonly prompt: string;
  readonly seed: number;
  /** Characters, bytes or tokens after the prompt. */
  readonly length: number;
}

/**
 * A run writes on from the prompt, by what all its layers had learnt when they last saved themselves at one batch. Throws a
 * Refusal where it learns from no text, has saved nothing yet, or does not know a character of the prompt.
 */
export async function sample(run: RunFolder, request: SampleRequest, edges: Edges): Promise<void> {
  const { config } = run;
  const { sequence, window } = dataFacts(config.data);
  if (!sequence) {
    const what = window === undefined ? ", expected text" : " with a window, expected a context";
    throw new Refusal(`Cannot sample ${run.id}: it learns from ${config.data.set}${what}`);
  }
  const opened = await openModel(run);
  const model = new LanguageModel(edges.kernels(config.compute.kernels).kernels, opened);
  const ids = promptOf(model, request.prompt);
  edges.err.write(`${run.id} after ${opened.saved.batch} of ${config.run.batches} batches:\n`);
  edges.out.write(request.prompt);
  const draw = drawer(request.seed, request);
  const decode = model.decoder();
  for (let written = 0; written < request.length; written++) {
    const id = draw(model.next(ids));
    ids.push(id);
    edges.out.write(decode(id));
  }
  edges.out.write("\n");
}

function promptOf(model: LanguageModel, prompt: string): number[] {
  try {
    return model.encode(prompt);
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error;
    throw new Refusal(`Cannot go on from the prompt: ${error.message}`, { cause: error });
  }
}
