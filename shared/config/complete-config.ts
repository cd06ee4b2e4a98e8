import { basename, extname } from "node:path";
import type { Config, DataConfig } from "./config.ts";
import { dataFacts } from "./data-facts.ts";
import type { Mistake } from "./mistake.ts";
import { Notes } from "./notes.ts";
import { type OwnModules, textsOf } from "./own-modules.ts";
import type { ConfigFile } from "./schema.ts";
import { completeData } from "./sections/data.ts";
import { completeDelivery } from "./sections/delivery.ts";
import { checkEvidence } from "./sections/generator.ts";
import { completeLayers } from "./sections/layers.ts";
import { checkMethods, completeLate, completeLearning } from "./sections/learning.ts";
import { checkBackoff } from "./sections/link.ts";
import { completeLoss } from "./sections/loss.ts";
import { checkHeadRoom, completeRun, warnOfSmallBatches } from "./sections/run.ts";

/** The sections of a config file that are sound in themselves. */
export type SoundParts = { readonly [Key in keyof ConfigFile]?: ConfigFile[Key] | undefined };

/** What is wrong between the sections (as far as they are there), what is doubtful, and the Config where nothing is missing. */
interface Completed {
  readonly config: Config | undefined;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Mistake[];
}

/** Fills in what one section says of another, and checks that they agree. `file` names a run that has no name. */
export function completeConfig(parts: SoundParts, own: OwnModules, file: string): Completed {
  const notes = new Notes();
  const data = parts.data && completeData(parts.data, own.data, notes);
  const loss = data && completeLoss(parts.loss, data, notes);
  const layers = parts.layers && completeLayers(parts.layers, data, loss, own.layers, notes);
  const isSequence = layers?.some(({ positions }) => positions !== undefined) ?? false;
  const itself = parts.learning && completeLearning(parts.learning, isSequence, notes);
  const run = data && parts.run && completeRun(parts.run, data, notes);
  const mixes = (itself?.mixture ?? 0) > 0;
  const delivery = parts.delivery && itself && completeDelivery(parts.delivery, itself.method, mixes, notes);
  const learning = delivery ? completeLate(itself!, parts.learning!, delivery.window, notes) : itself;
  if (layers && learning) {
    checkMethods(layers, learning, notes);
    checkEvidence(layers, learning, notes);
  }
  if (parts.link) checkBackoff(parts.link, notes);
  if (run && layers) {
    checkHeadRoom(run, layers, notes);
    warnOfSmallBatches(run, layers, notes);
  }
  const { seed, wire, link, compute } = parts;
  const isComplete =
    seed !== undefined && data && layers && loss && learning && run && delivery && wire && link && compute;
  const name = parts.name ?? nameOf(file);
  const config = isComplete
    ? {
        ...{ name, seed, data, layers, loss, ...unitsOf(data), learning, run, delivery, wire, link, compute },
        ...textsOf(own),
      }
    : undefined;
  return { config, mistakes: notes.mistakes, warnings: notes.warnings };
}

/** Nothing but for regression. */
function unitsOf(data: DataConfig): Pick<Config, "units"> {
  const { judged, labels, labelWidth } = dataFacts(data);
  if (judged !== "values") return {};
  return { units: Array.from({ length: labelWidth }, (_, index) => labels?.[index]?.deviation ?? 1) };
}

function nameOf(file: string): string {
  const stem = basename(file, extname(file)).replace(/[^\w.-]/g, "-");
  return /^[a-zA-Z0-9]/.test(stem) ? stem.slice(0, 64) : "run";
}
