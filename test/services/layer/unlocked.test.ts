import { describe, expect, it } from "vitest";
import { LayerService } from "../../../services/layer/layer-service.ts";
import type { LayerSurroundings } from "../../../services/layer/layer-surroundings.ts";
import { LayerWork } from "../../../services/layer/layer-work.ts";
import { rulesOf } from "../../../services/layer/startup.ts";
import { Meter } from "../../../services/worker/meter.ts";
import type { Config } from "../../../shared/config/config.ts";
import { readConfig } from "../../../shared/config/read-config.ts";
import { initialState } from "../../../shared/delivery/delivery-state.ts";
import type { Link } from "../../../shared/link/link.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import { decode, encode } from "../../../shared/wire/codec.ts";
import type { BackFrame, BatchFrame, Frame } from "../../../shared/wire/frames.ts";
import { floatsToTensor } from "../../../shared/wire/tensor.ts";

const BATCHES = 6;
const GUESSED = "learning.inputGenerator={rate: 0.01, hidden: [4]}";

function configOf(...set: string[]): Config {
  const text = `
data: { set: two-rings, heldOut: 10 }
layers: [{ outputs: 3, batchNorm: false }, { outputs: 3, batchNorm: false }, { outputs: 3, batchNorm: false }, { outputs: 2 }]
run: { batchSize: 4, batches: ${BATCHES}, evaluateEvery: 10 }
`;
  return readConfig(text, "unlocked", set).config;
}

const idle: LayerSurroundings = {
  applies: () => undefined,
  applied: () => undefined,
  stands: () => undefined,
  checkpoint: () => undefined,
  goBack: () => undefined,
  saveFinal: () => undefined,
  saveSnapshot: () => undefined,
  report: () => ({ layer: 1, applied: [], restarts: 0, digest: "" }),
  evaluated: () => undefined,
  held: () => undefined,
  resumed: () => undefined,
  released: () => undefined,
  poisoned: (error) => {
    throw error;
  },
};

/** Says when a layer sets about a batch, and what it is given is in no hurry to compute. */
class SlowWork extends LayerWork {
  readonly #meanwhile: (batch: number) => void;
  readonly #done: (batch: number) => void;

  constructor(
    build: ConstructorParameters<typeof LayerWork>,
    meanwhile: (batch: number) => void,
    done: (batch: number) => void,
  ) {
    super(...build);
    this.#meanwhile = meanwhile;
    this.#done = done;
  }

  override update(frame: BatchFrame) {
    this.#meanwhile(frame.batch);
    const result = super.update(frame);
    this.#done(frame.batch);
    return result;
  }
}

/**
 * All layers of a network, between which frames travel while layers compute: whoever computes hears nothing until it is
 * done, and has sent what it has sent.
 */
class Chain {
  readonly told: string[] = [];
  mostAtOnce = 0;
  readonly #services: LayerService[];
  readonly #waiting: { readonly to: number; readonly hear: () => void }[] = [];
  readonly #busy = new Set<number>();

  constructor(config: Config) {
    const { window, schedule } = config.delivery;
    const ticketsKept = window + (schedule === "free" ? 0 : schedule.staleness);
    const options = { ticketsKept, dtypes: { input: "f32", link: "f32" } } as const;
    this.#services = config.layers.map((_, index) => {
      const work = new SlowWork(
        [plainKernels(), config, index + 1, options],
        (batch) => this.#begins(index, batch),
        (batch) => this.#isDone(index, batch),
      );
      const meter = new Meter(0, () => undefined);
      return new LayerService(rulesOf(config, index + 1), work, meter, idle, initialState(-1));
    });
    for (const [index, service] of this.#services.entries()) {
      service.predecessorUp(this.#linkTo(index - 1, (each, frame) => each.fromSuccessor(frame as BackFrame)));
      if (index + 1 < this.#services.length)
        service.successorUp(
          this.#linkTo(index + 1, (each, frame) => each.fromPredecessor(frame as BatchFrame)),
          0,
        );
    }
  }

  feed(batch: number): void {
    const input = Float32Array.from({ length: 8 }, (_, index) => Math.sin(batch * 8 + index));
    const labels = { dtype: "u8", shape: [4, 1], data: Uint8Array.of(1, 0, 1, 0) } as const;
    const activation = floatsToTensor(input, 4, 2);
    this.#services[0]!.fromPredecessor({ kind: "activation", batch, activation, labels });
    this.#pump();
  }

  #linkTo(index: number, hear: (service: LayerService, frame: Frame) => void): Link {
    return {
      send: (sent) => {
        const service = this.#services[index];
        // A copy: what is sent aliases what is computed next.
        const frame = decode(encode(sent), { maxFrameBytes: 1 << 20 });
        if (service) this.#waiting.push({ to: index, hear: () => hear(service, frame) });
      },
      close: (_, reason) => {
        throw new Error(reason);
      },
      terminate: () => undefined,
      delay: () => undefined,
      bufferedBytes: 0,
      takesQuestions: false,
    };
  }

  #begins(index: number, batch: number): void {
    this.told.push(`${index + 1} begins ${batch}`);
    this.#busy.add(index);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#busy.size);
    this.#pump();
  }

  #isDone(index: number, batch: number): void {
    this.told.push(`${index + 1} has learnt ${batch}`);
    this.#busy.delete(index);
  }

  /** In order, to whoever can hear. */
  #pump(): void {
    for (;;) {
      const next = this.#waiting.findIndex(({ to }) => !this.#busy.has(to));
      if (next < 0) return;
      this.#waiting.splice(next, 1)[0]!.hear();
    }
  }
}

function trained(...set: string[]): Chain {
  const chain = new Chain(configOf(...set));
  for (let batch = 0; batch < BATCHES; batch++) chain.feed(batch);
  return chain;
}

describe("layers that guess their inputs", () => {
  it.each([[[]], [["delivery.schedule={staleness: 2}"]]])(
    "learn a batch while all those before them still compute it: nobody waits (%j)",
    (set) => {
      const { told, mostAtOnce } = trained(GUESSED, ...set);
      expect(mostAtOnce).toBe(4);
      for (let batch = 0; batch < BATCHES; batch++)
        for (const layer of [2, 3, 4]) {
          const own = told.indexOf(`${layer} has learnt ${batch}`);
          // Before which no activation of that batch can have come.
          expect(own, `layer ${layer}, batch ${batch}`).toBeLessThan(
            told.indexOf(`${layer - 1} has learnt ${batch}`),
          );
          expect(own).toBeGreaterThanOrEqual(0);
        }
    },
  );

  it("do what others cannot: who hears its input begins when those before have learnt that batch", () => {
    const { told, mostAtOnce } = trained();
    expect(mostAtOnce).toBe(1);
    for (let batch = 0; batch < BATCHES; batch++)
      for (const layer of [2, 3, 4])
        expect(told.indexOf(`${layer} begins ${batch}`)).toBeGreaterThan(
          told.indexOf(`${layer - 1} has learnt ${batch}`),
        );
  });
});
