import * as z from "zod";
import { leaf, map, wholeFrom } from "../../schema/fields.ts";
import type { DataConfig, LayerConfig, RunConfig } from "../config.ts";
import { batchesPerEpoch } from "../data-facts.ts";
import type { Notes } from "../notes.ts";

export const runFields = map({
  batchSize: wholeFrom(1, 65_536)
    .default(64)
    .describe("Examples in a batch. Batch normalisation wants 50 or more."),
  epochs: wholeFrom(1).optional().describe("Passes over the data. Either this or batches; not for a stream."),
  batches: wholeFrom(1).optional().describe("Length of the run in batches. Either this or epochs."),
  evaluateEvery: leaf("epoch, or a whole number from 1", (error) =>
    z.union([z.literal("epoch"), z.int(error).min(1, error)], error),
  )
    .optional()
    .describe("Batches between evaluations. Default epoch; a tenth of the run for a stream."),
  checkpointEvery: wholeFrom(1)
    .default(200)
    .describe("Batches between checkpoints; a crash costs at most so many."),
  snapshotEvery: wholeFrom(0)
    .optional()
    .describe(
      "Batches between snapshots of all layers at once, from which the whole run can go on; 0 for none. Default evaluateEvery.",
    ),
})
  .prefault({})
  .describe("How long, in what portions.");

type Written = z.output<typeof runFields>;

export function completeRun(run: Written, data: DataConfig, notes: Notes): RunConfig | undefined {
  const perEpoch = batchesPerEpoch(data, run.batchSize);
  const batches = runLength(run, perEpoch, data, notes);
  const evaluateEvery = evaluationInterval(run, batches, perEpoch, data, notes);
  if (batches === undefined || evaluateEvery === undefined) return undefined;
  const { batchSize, checkpointEvery, snapshotEvery = evaluateEvery } = run;
  return { batchSize, batches, evaluateEvery, checkpointEvery, snapshotEvery };
}

function runLength(
  { epochs, batches }: Written,
  perEpoch: number | undefined,
  data: DataConfig,
  notes: Notes,
): number | undefined {
  if (epochs !== undefined && perEpoch === undefined) {
    notes.wrong(["run", "epochs"], epochs, `${data.set} is an endless stream, say how many batches instead`);
  } else if (epochs !== undefined && batches !== undefined) {
    notes.wrong(["run", "epochs"], epochs, `run.batches is ${batches} as well, expected one of the two`);
  } else if (epochs === undefined && batches === undefined) {
    const either = perEpoch === undefined ? "" : "epochs or ";
    notes.wrong(["run", "batches"], undefined, `say how long the run is, in ${either}batches`);
  }
  return epochs !== undefined && perEpoch !== undefined ? epochs * perEpoch : batches;
}

function evaluationInterval(
  { evaluateEvery }: Written,
  batches: number | undefined,
  perEpoch: number | undefined,
  data: DataConfig,
  notes: Notes,
): number | undefined {
  if (typeof evaluateEvery === "number") return evaluateEvery;
  if (evaluateEvery === "epoch" && perEpoch === undefined) {
    const what = `${data.set} is an endless stream, say a number of batches instead`;
    notes.wrong(["run", "evaluateEvery"], evaluateEvery, what);
  }
  return perEpoch ?? (batches && Math.ceil(batches / 10));
}

/** Floats that the head may give in a batch: a layer with a head of its own holds some arrays of as many, in 256 MB. */
const MOST_JUDGED = 2 ** 24;

/** Only what travels is bounded for each example: classes do not, they are told by their numbers. */
export function checkHeadRoom({ batchSize }: RunConfig, layers: readonly LayerConfig[], notes: Notes): void {
  const { outputs } = layers.at(-1)!;
  if (batchSize * outputs <= MOST_JUDGED) return;
  const what = `the head would give ${batchSize * outputs} floats a batch, at most ${MOST_JUDGED}`;
  notes.wrong(["run", "batchSize"], batchSize, what);
}

// Measured on binary addition: with batches of 10 both backprop and cdni lose a quarter of their exact sums.
export function warnOfSmallBatches(run: RunConfig, layers: readonly LayerConfig[], notes: Notes): void {
  if (run.batchSize < 50 && layers.some(({ batchNorm }) => batchNorm)) {
    const what = "batch normalisation knows only its batch, expected 50 or more";
    notes.doubtful(["run", "batchSize"], run.batchSize, what);
  }
}
