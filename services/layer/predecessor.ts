import type { Config } from "../../shared/config/config.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { labelsOf } from "../../shared/dni/build-layer.ts";
import { labelFloats } from "../../shared/dni/labels.ts";
import { type Life, refuseStranger } from "../../shared/link/greeting.ts";
import { frameBytes } from "../../shared/link/limits.ts";
import type { Refusal } from "../../shared/link/link.ts";
import { CloseCode, type HelloFrame, type WelcomeFrame } from "../../shared/wire/frames.ts";
import { expectationOf, type Identity, introductionOf } from "../worker/identity.ts";

/** The worker before a layer: let in if it sends what this layer takes, and only in its newest life. */
export class Predecessor {
  readonly #self: Identity;
  readonly #takes: Pick<HelloFrame, "width" | "dtype">;
  /** The life that was met last. */
  #newest: Life | undefined;

  constructor(self: Identity, { data, wire, layers }: Config) {
    this.#self = self;
    const dtype = self.layer === 1 ? dataFacts(data).inputType : wire.dtype;
    this.#takes = { width: layers[self.layer - 1]!.inputs, dtype };
  }

  get hasMet(): boolean {
    return this.#newest !== undefined;
  }

  /** Why it is not let in; undefined if it is. */
  refuse(hello: HelloFrame): Refusal | undefined {
    const { layer } = this.#self;
    const { width, dtype } = this.#takes;
    const expected = { ...expectationOf(this.#self, layer - 1, this.#newest), dtype };
    const refusal = refuseStranger(expected, hello);
    if (refusal) return refusal;
    if (hello.width === width && hello.to === layer) return undefined;
    const reason = `layer ${hello.from} sends ${hello.width} floats to layer ${hello.to}, layer ${layer} takes ${width}`;
    return { code: CloseCode.mismatch, reason };
  }

  /** For one that is let in. */
  welcome(need: number): WelcomeFrame {
    return { kind: "welcome", from: this.#self.layer, ...introductionOf(this.#self), need };
  }

  /** Its link is up: from now on an older life of it is refused. */
  met({ incarnation, instance }: HelloFrame): void {
    this.#newest = { incarnation, instance };
  }
}

/** The longest frame that a predecessor may send. */
export function longestActivation(config: Config, layer: number): number {
  const { layers, learning, run } = config;
  const own = layers[layer - 1]!.inputs;
  const hasInput = learning.generator.evidence.includes("input") || learning.inputGenerator !== undefined;
  const network = hasInput ? layers[0]!.inputs : 0;
  return frameBytes(run.batchSize, own + network + labelFloats(labelsOf(config)));
}
