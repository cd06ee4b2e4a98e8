import { randomUUID } from "node:crypto";
import { type Expectation, type Life, refuseStranger } from "../../shared/link/greeting.ts";
import type { Refusal } from "../../shared/link/link.ts";
import type { Config } from "../../shared/run/config.ts";
import { configHash } from "../../shared/run/config-hash.ts";
import { dataFacts } from "../../shared/run/data-facts.ts";
import { CloseCode, type HelloFrame, PROTOCOL_VERSION, type WelcomeFrame } from "../../shared/wire/frames.ts";
import type { LayerOptions } from "./beginning.ts";

/** The workers on either side of a layer: what they are told of it, whom it takes them for, and which lives it has met. */
export class Neighbours {
  readonly #config: Config;
  readonly #options: LayerOptions;
  readonly #introduction: Pick<WelcomeFrame, "protocol" | "run" | "incarnation" | "instance" | "configHash">;
  #predecessor: Life | undefined;
  #successor: Life | undefined;

  constructor(config: Config, options: LayerOptions, incarnation: number) {
    this.#config = config;
    this.#options = options;
    this.#introduction = {
      protocol: PROTOCOL_VERSION,
      run: options.run,
      incarnation,
      instance: randomUUID(),
      configHash: configHash(config),
    };
  }

  /** Of this process; another one of the same life has another. */
  get instance(): string {
    return this.#introduction.instance;
  }

  /** What there is to wait for before this layer can learn; undefined if nothing. */
  get lacking(): string | undefined {
    const { layer, successor } = this.#options;
    if (!this.#predecessor) return `${nameOf(layer - 1)} has not come yet`;
    if (!this.#successor && successor !== undefined) return `${nameOf(layer + 1)} was not reached yet`;
    return undefined;
  }

  /** Why whoever dials is not the predecessor expected; undefined if it is. */
  refusePredecessor(hello: HelloFrame): Refusal | undefined {
    const { layer } = this.#options;
    const { data, wire, layers } = this.#config;
    const dtype = layer === 1 ? dataFacts(data).inputType : wire.dtype;
    const refusal = refuseStranger({ ...this.#expected(layer - 1, this.#predecessor), dtype }, hello);
    if (refusal) return refusal;
    const { inputs } = layers[layer - 1]!;
    if (hello.width === inputs && hello.to === layer) return undefined;
    const reason = `layer ${hello.from} sends ${hello.width} floats to layer ${hello.to}, layer ${layer} takes ${inputs}`;
    return { code: CloseCode.mismatch, reason };
  }

  /** To a predecessor that is not refused. */
  welcome(need: number): WelcomeFrame {
    return { kind: "welcome", from: this.#options.layer, ...this.#introduction, need };
  }

  /** To the successor. */
  hello(): HelloFrame {
    const { layer } = this.#options;
    const { layers, wire } = this.#config;
    const width = layers[layer - 1]!.outputs;
    return { kind: "hello", from: layer, to: layer + 1, ...this.#introduction, width, dtype: wire.dtype };
  }

  /** Why whoever answers is not the successor expected; undefined if it is. */
  refuseSuccessor(welcome: WelcomeFrame): Refusal | undefined {
    return refuseStranger(this.#expected(this.#options.layer + 1, this.#successor), welcome);
  }

  /** From now on an older life of it is refused. */
  predecessorMet({ incarnation, instance }: Life): void {
    this.#predecessor = { incarnation, instance };
  }

  /** From now on an older life of it is refused. */
  successorMet({ incarnation, instance }: Life): void {
    this.#successor = { incarnation, instance };
  }

  #expected(neighbour: number, newest: Life | undefined): Expectation {
    const { run, configHash } = this.#introduction;
    return { run, configHash, neighbour, batches: this.#config.run.batches, newest };
  }
}

export function nameOf(layer: number): string {
  return layer === 0 ? "source" : `layer${layer}`;
}
