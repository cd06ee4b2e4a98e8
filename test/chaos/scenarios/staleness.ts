import type { Batch } from "../../../shared/data/data-set.ts";
import { openDataSet } from "../../../shared/data/open-data-set.ts";
import { buildLayer } from "../../../shared/dni/build-layer.ts";
import type { DecoupledLayer } from "../../../shared/dni/decoupled-layer.ts";
import { EvidenceStore } from "../../../shared/dni/evidence.ts";
import type { Example } from "../../../shared/dni/example.ts";
import type { Head } from "../../../shared/dni/head.ts";
import { addTallies, emptyTally, verdictOf } from "../../../shared/math/accuracy.ts";
import { bytesToFloats } from "../../../shared/math/convert.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import type { Config } from "../../../shared/run/config.ts";
import { loadConfig } from "../../../shared/run/read-config.ts";
import type { Finding } from "../finding.ts";

/** The layer that goes away, its number, and how old its last checkpoint is when it does, in batches. */
const AWAY = 3;
const CHECKPOINT_AGE = 100;

/**
 * A network in one process, of the real layers, each with a cursor of its own: what the services do when layer 3 is away,
 * without the waiting. The layers before it learn `alone` batches from guesses only; then it is back with its checkpoint,
 * it and those after it are taught what they lack by layers that do not learn it twice, and all go on together.
 */
class Interrupted {
  readonly #config: Config;
  readonly #data;
  readonly #kernels = wasmKernels();
  readonly #layers;
  readonly #evidence: readonly EvidenceStore[];
  readonly #input: Float32Array;
  readonly #labels: Float32Array;
  readonly #target: Float32Array;

  constructor(config: Config) {
    this.#config = config;
    this.#data = openDataSet(config.data);
    const { run, layers } = config;
    this.#layers = layers.map((_, index) => buildLayer(this.#kernels, config, index + 1));
    this.#evidence = this.#hidden.map(({ evidenceWidths: widths }) => {
      return new EvidenceStore(this.#kernels, 1, { widths, maxRows: run.batchSize });
    });
    this.#input = this.#kernels.allocate(run.batchSize * layers[0]!.inputs);
    this.#labels = this.#kernels.allocate(run.batchSize * layers.at(-1)!.outputs);
    this.#target = this.#kernels.allocate(run.batchSize * Math.max(...layers.map(({ inputs }) => inputs)));
  }

  get #hidden(): DecoupledLayer[] {
    return this.#layers.slice(0, -1) as DecoupledLayer[];
  }

  get #head(): Head {
    return this.#layers.at(-1) as Head;
  }

  /** The test error at the end of the run; layer 3 goes at batch `at`, and those before it learn `alone` batches. */
  run({ at, alone }: { readonly at: number; readonly alone: number }): number {
    const { batches } = this.#config.run;
    const goesBackTo = Math.max(0, at - CHECKPOINT_AGE);
    let saved: ReturnType<DecoupledLayer["state"]> | undefined;
    const away = this.#layers[AWAY - 1] as DecoupledLayer;
    for (let batch = 0; batch < at; batch++) {
      if (batch === goesBackTo) saved = structuredClone(away.state());
      this.#learn(batch, { from: 1, until: this.#layers.length });
    }
    const ahead = Math.min(at + alone, batches);
    for (let batch = at; batch < ahead; batch++) this.#learn(batch, { from: 1, until: AWAY - 1 });
    if (saved) away.restore(saved);
    // What it lacks since its checkpoint: its neighbours have learnt that already.
    for (let batch = goesBackTo; batch < at; batch++) this.#learn(batch, { from: AWAY, until: AWAY });
    for (let batch = at; batch < ahead; batch++)
      this.#learn(batch, { from: AWAY, until: this.#layers.length });
    for (let batch = ahead; batch < batches; batch++)
      this.#learn(batch, { from: 1, until: this.#layers.length });
    return this.#testError();
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
    bytesToFloats(labels, 1, this.#labels);
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
    return verdictOf(tally, this.#head.judged, rows, this.#config.layers.at(-1)!.outputs).error;
  }
}

export const BUDGETS = [0, 64, 256, 1024, Number.POSITIVE_INFINITY] as const;

/** Test errors, one for each seed, by budget (rows) and absence (columns, in seconds of a run with `perSecond` batches a second). */
export function stalenessTable({
  config,
  set,
  perSecond,
  seconds,
  budgets = BUDGETS,
  seeds = [0],
}: {
  readonly config: string;
  readonly set: readonly string[];
  readonly perSecond: number;
  readonly seconds: readonly number[];
  readonly budgets?: readonly number[];
  readonly seeds?: readonly number[];
}): Finding[] {
  const parsed = loadConfig(config, set).config;
  const at = Math.floor(parsed.run.batches / 4);
  // What is learnt alone is all that counts: absences that come to the same are computed once.
  const known = new Map<number, number[]>();
  return budgets.map((budget) => {
    const errors = seconds.map((away) => {
      const alone = Math.min(budget, away * perSecond, parsed.run.batches - at);
      if (!known.has(alone))
        known.set(
          alone,
          seeds.map((seed) => new Interrupted({ ...parsed, seed }).run({ at, alone })),
        );
      return { alone, errors: known.get(alone)! };
    });
    const name = Number.isFinite(budget) ? `budget ${budget}` : "no budget";
    return {
      claim: `${name}: test error where layer 3 of 4 is away for ${seconds.join(", ")} s at ${perSecond} batches/s`,
      bar: "—",
      measured: errors.map(({ alone, errors }) => `${percents(errors)} % (${alone} alone)`).join(", "),
      met: true,
    };
  });
}

function percents(errors: readonly number[]): string {
  return errors.map((error) => (100 * error).toFixed(2)).join(" and ");
}
