import type { Config } from "../../../shared/config/config.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import type { Batch, DataSet } from "../../../shared/data/data-set.ts";
import { openDataSet } from "../../../shared/data/kinds.ts";
import { labelsOf } from "../../../shared/dni/build-layer.ts";
import type { DecoupledLayer } from "../../../shared/dni/decoupled-layer.ts";
import { EvidenceStore } from "../../../shared/dni/evidence.ts";
import type { Example } from "../../../shared/dni/example.ts";
import type { Head } from "../../../shared/dni/head.ts";
import { labelFloats } from "../../../shared/dni/labels.ts";
import type { LayerState } from "../../../shared/dni/layer-state.ts";
import { buildLayer } from "../../../shared/layers/network.ts";
import { addTallies, emptyTally, scoreOf } from "../../../shared/math/accuracy.ts";
import { bytesToFloats } from "../../../shared/math/convert.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { deviation, type Finding, mean } from "../finding.ts";

/** The layer that goes away, its number, and how old its last checkpoint is when it does, in batches. */
const AWAY = 3;
const CHECKPOINT_AGE = 100;

/** Layer 3 at its last checkpoint, and all layers when it goes. */
interface Before {
  readonly checkpoint: LayerState;
  readonly all: readonly LayerState[];
}

/**
 * A network in one process, of the real layers, each with a cursor of its own: what the services do when layer 3 is away,
 * without the waiting. It goes at batch `at`. The layers before it learn some batches alone, from guesses only; then it is
 * back with its checkpoint, it and those after it are taught what they lack by layers that do not learn it twice, and all
 * go on together. What is the same however long it was away, is learnt once.
 */
export class Interrupted {
  readonly #config: Config;
  readonly #data;
  readonly #kernels = wasmKernels();
  readonly #layers;
  readonly #evidence: readonly EvidenceStore[];
  readonly #input: Float32Array;
  readonly #labels: Float32Array;
  readonly #target: Float32Array;
  readonly #at: number;
  #before: Before | undefined;

  constructor(config: Config, data: DataSet, at: number) {
    this.#config = config;
    this.#at = at;
    this.#data = data;
    const { run, layers } = config;
    this.#layers = layers.map((_, index) => buildLayer(this.#kernels, config, index + 1));
    this.#evidence = this.#hidden.map(({ evidenceWidths: widths }) => {
      return new EvidenceStore(this.#kernels, 1, { widths, maxRows: run.batchSize });
    });
    this.#input = this.#kernels.allocate(run.batchSize * layers[0]!.inputs);
    this.#labels = this.#kernels.allocate(run.batchSize * labelFloats(labelsOf(config)));
    this.#target = this.#kernels.allocate(run.batchSize * Math.max(...layers.map(({ inputs }) => inputs)));
  }

  get #hidden(): DecoupledLayer[] {
    return this.#layers.slice(0, -1) as DecoupledLayer[];
  }

  get #head(): Head {
    return this.#layers.at(-1) as Head;
  }

  /** The test error at the end of the run if those before layer 3 learn so many batches alone. */
  errorAfter(alone: number): number {
    const { batches } = this.#config.run;
    const { checkpoint, all } = this.#untilAway();
    for (const [index, layer] of this.#layers.entries()) layer.restore(all[index]!);
    const ahead = Math.min(this.#at + alone, batches);
    for (let batch = this.#at; batch < ahead; batch++) this.#learn(batch, { from: 1, until: AWAY - 1 });
    this.#layers[AWAY - 1]!.restore(checkpoint);
    // What it lacks since its checkpoint: its neighbours have learnt that already.
    for (let batch = this.#goesBackTo; batch < this.#at; batch++)
      this.#learn(batch, { from: AWAY, until: AWAY });
    for (let batch = this.#at; batch < ahead; batch++)
      this.#learn(batch, { from: AWAY, until: this.#layers.length });
    this.#learnAll(ahead, batches);
    return this.#testError();
  }

  get #goesBackTo(): number {
    return Math.max(0, this.#at - CHECKPOINT_AGE);
  }

  #untilAway(): Before {
    if (this.#before) return this.#before;
    this.#learnAll(0, this.#goesBackTo);
    const checkpoint = copyOf(this.#layers[AWAY - 1]!.state());
    this.#learnAll(this.#goesBackTo, this.#at);
    this.#before = { checkpoint, all: this.#layers.map((layer) => copyOf(layer.state())) };
    return this.#before;
  }

  #learnAll(first: number, end: number): void {
    for (let batch = first; batch < end; batch++) this.#learn(batch, { from: 1, until: this.#layers.length });
  }

  /** The layers of this range learn the batch; those before and after it only pass it on. A range without end has no targets. */
  #learn(number: number, { from, until }: { readonly from: number; readonly until: number }): void {
    const isAway = until === AWAY - 1;
    const reach = isAway ? until : this.#layers.length;
    const example = this.#exampleOf(this.#data.batch(this.#config.seed, number, this.#config.run.batchSize));
    const learns = (index: number) => index + 1 >= from && index + 1 <= until;
    const answers: (Float32Array | undefined)[] = [];
    let input = example.input;
    for (const [index, layer] of this.#hidden.slice(0, reach).entries()) {
      const given = { ...example, input };
      const { output, inputGradient } = learns(index) ? layer.update(given, number) : layer.rehearse(given);
      if (learns(index)) this.#evidence[index]!.keep(number, layer.evidence(given, output));
      answers.push(inputGradient);
      input = output;
    }
    if (!isAway) {
      const given = { ...example, input };
      const isLearning = learns(this.#layers.length - 1);
      answers.push(
        (isLearning ? this.#head.update(given, number) : this.#head.rehearse(given)).inputGradient,
      );
    }
    for (const [index, layer] of this.#hidden.slice(0, reach).entries()) {
      const target = answers[index + 1];
      const evidence = learns(index) ? this.#evidence[index]!.take(number) : undefined;
      if (!target || !evidence) continue;
      this.#target.set(target.subarray(0, example.rows * this.#config.layers[index]!.outputs));
      layer.learn(evidence, this.#target, number);
    }
  }

  #exampleOf({ rows, input, labels }: Batch): Example {
    if (input instanceof Uint8Array) bytesToFloats(input, this.#data.inputScale, this.#input);
    else this.#input.set(input);
    this.#labels.set(labels);
    return { rows, input: this.#input, labels: this.#labels };
  }

  #testError(): number {
    let tally = emptyTally;
    let rows = 0;
    const { batchSize } = this.#config.run;
    for (let part = 0; part < this.#data.evaluationParts(batchSize); part++) {
      let example = this.#exampleOf(this.#data.evaluationPart(part, batchSize));
      for (const layer of this.#hidden) example = { ...example, input: layer.evaluate(example) };
      tally = addTallies(tally, this.#head.evaluate(example));
      rows += example.rows;
    }
    return scoreOf(tally, this.#head.judged, rows, this.#config.layers.at(-1)!.outputs).error;
  }
}

const BUDGETS = [0, 64, 256, 1024, Number.POSITIVE_INFINITY] as const;

export interface Absences {
  readonly config: string;
  readonly set: readonly string[];
  /** What the guesses come from, as `learning.generator.form` has it. */
  readonly forms: readonly ("linear" | "classifying")[];
  /** Batches a second of the run whose layer is away. */
  readonly perSecond: number;
  readonly seconds: readonly number[];
  readonly budgets?: readonly number[];
  readonly seeds: readonly number[];
}

/** Test errors, mean and deviation of all seeds: by form and budget (rows) and absence (columns). */
export async function stalenessTable(absences: Absences): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const form of absences.forms) {
    const runs: Map<number, number>[] = [];
    for (const seed of absences.seeds) runs.push(await errorsOf(absences, form, seed));
    found.push(...findingsOf(absences, form, runs));
  }
  return found;
}

/** Of one seed, by how many batches are learnt alone. Absences that come to the same are computed once. */
export async function errorsOf(
  { config, set, perSecond, seconds, budgets = BUDGETS }: Absences,
  form: string,
  seed: number,
): Promise<Map<number, number>> {
  const parsed = loadConfig(config, [...set, `learning.generator.form=${form}`, `seed=${seed}`]).config;
  const { batches } = parsed.run;
  const interrupted = new Interrupted(parsed, await openDataSet(parsed.data), awayAt(batches));
  const alone = budgets.flatMap((budget) =>
    seconds.map((away) => learntAlone(budget, away * perSecond, batches)),
  );
  return new Map([...new Set(alone)].map((batches) => [batches, interrupted.errorAfter(batches)]));
}

export function findingsOf(
  { config, set, perSecond, seconds: absences, budgets = BUDGETS }: Absences,
  form: string,
  runs: readonly ReadonlyMap<number, number>[],
): Finding[] {
  const { batches } = loadConfig(config, set).config.run;
  return budgets.map((budget) => {
    const cells = absences.map((away) => {
      const alone = learntAlone(budget, away * perSecond, batches);
      return `${percents(runs.map((run) => run.get(alone)!))} (${alone} alone)`;
    });
    const name = Number.isFinite(budget) ? `a budget of ${budget}` : "no budget";
    const ofSeeds = runs.length > 1 ? `, mean ± deviation of ${runs.length} seeds` : "";
    return {
      claim: `${form} generators, ${name}: test error with layer 3 of 4 away for ${absences.join(", ")} s, at ${perSecond} batches/s${ofSeeds}`,
      bar: "—",
      measured: cells.join(", "),
      met: true,
    };
  });
}

/** After a quarter of the run. */
function awayAt(batches: number): number {
  return Math.floor(batches / 4);
}

function learntAlone(budget: number, away: number, batches: number): number {
  return Math.min(budget, away, batches - awayAt(batches));
}

function percents(errors: readonly number[]): string {
  const average = (100 * mean(errors)).toFixed(2);
  return errors.length > 1 ? `${average} ± ${(100 * deviation(errors)).toFixed(2)} %` : `${average} %`;
}

function copyOf({ tensors, counters }: LayerState): LayerState {
  const copies = Object.entries(tensors).map(([name, tensor]) => [name, tensor.slice()] as const);
  return { tensors: Object.fromEntries(copies), counters };
}
