import { describe, expect, it } from "vitest";
import { chainOutcome as computeOutcome, type Outcome, runOutcome } from "../support/chain.ts";
import { Experiment } from "../support/experiment.ts";

const PINNED = [
  { config: "configs/binary-addition.yaml", staleness: 1 },
  { config: "configs/binary-addition.yaml", staleness: 4 },
  { config: "configs/mnist.yaml", staleness: 1 },
  { config: "configs/mnist.yaml", staleness: 4 },
  { config: "configs/paper/unlock3.yaml", staleness: 3 },
].map((pinned) => ({ ...pinned, kernels: "wasm" }));
const SETS = [...PINNED, { ...PINNED[3]!, kernels: "auto" }];
const BATCHES = 300;
const RUNS = 3;

describe.each(SETS)("$config over processes, staleness pinned to $staleness, kernels $kernels", (pinned) => {
  const { config, staleness, kernels } = pinned;
  const common = [`run.batches=${BATCHES}`, `compute.kernels=${kernels}`];
  const overrides = [...common, `delivery.schedule={staleness: ${staleness}}`];

  it(`comes out as in one process, bit for bit, ${RUNS} times in a row`, async () => {
    for (let run = 1; run <= RUNS; run++) {
      const [found, expected] = await bothOutcomes(config, overrides);
      console.log(
        `${config}, staleness ${staleness}, run ${run}: ${short(found)}, in one process ${short(expected)}`,
      );
      expect(found).toEqual(expected);
    }
  });

  it("would tell another order of learning, or another seed, from it", async () => {
    const other = [...common, `delivery.schedule={staleness: ${staleness + 1}}`];
    const expected = await chainOutcome(config, overrides);
    const outcomes = await Promise.all([
      processesOutcome(config, [...overrides, "seed=1"]),
      chainOutcome(config, other),
    ]);
    for (const { digests } of outcomes) {
      for (const [index, digest] of digests.entries()) {
        // The head never learns late: only what its predecessors send it differs, which is enough.
        expect(digest, `layer ${index + 1}`).not.toBe(expected.digests[index]);
      }
    }
  });
});

describe("layers that learn in other ways", () => {
  const common = [`run.batches=${BATCHES}`, "compute.kernels=wasm", "run.checkpointEvery=100"];

  it.each([
    [3, ["learning.method=local"]],
    [3, ["layers.0.method=local", "learning.generator.hidden=[16]"]],
    [3, ["layers.1.method=local", "learning.generator.evidence=[normalisedOutput,labels,input]"]],
    [3, ["layers.0.method=backprop"]],
    [1, ["learning.mixture=0.5"]],
    [3, ["learning.updateProbability=0.3"]],
    [3, ["learning.generator.form=linear"]],
    [3, ["learning.inputGenerator={rate: 0.01, hidden: [16]}"]],
    [
      1,
      [
        "learning.inputGenerator={rate: 0.01, hidden: []}",
        "learning.generator.evidence=[output,labels,input]",
      ],
    ],
    [2, ["learning.inputGenerator={rate: 0.01, hidden: [16]}", "learning.updateProbability=0.3"]],
    [2, ["learning.inputGenerator={rate: 0.01, hidden: [16]}", "wire.dtype=i8"]],
  ])("come out over processes as in one, bit for bit: staleness %i, %j", async (staleness, other) => {
    const set = [...common, `delivery.schedule={staleness: ${staleness}}`];
    const [found, expected] = await bothOutcomes("configs/binary-addition.yaml", [...set, ...other]);
    expect(found).toEqual(expected);
    // The control: as the config is, they learn something else.
    const plain = await chainOutcome("configs/binary-addition.yaml", set);
    expect(plain.digests[0]).not.toBe(expected.digests[0]);
  });
});

describe("convolutional layers", () => {
  it.each([
    ["cdni", []],
    ["cdni", ["learning.generator.hidden=[8]"]],
    ["local", []],
  ])("come out over processes as in one, bit for bit: %s %j", async (method, other) => {
    const config = `configs/paper/conv4-${method}.yaml`;
    const pinned = ["compute.kernels=wasm", "delivery.schedule={staleness: 3}"];
    const set = [`run.batches=${BATCHES}`, "run.checkpointEvery=100", ...pinned, ...other];
    const [found, expected] = await bothOutcomes(config, set);
    expect(found).toEqual(expected);
  });
});

describe.each(["f16", "bf16", "i8"])("activations and gradients that travel as %s", (dtype) => {
  const common = [`run.batches=${BATCHES}`, "compute.kernels=wasm"];

  it.each([
    ["configs/binary-addition.yaml", "cdni", 4],
    ["configs/mnist.yaml", "backprop", 1],
  ])("teach the processes of %s with %s what they teach one process, bit for bit", async (...pinned) => {
    const [config, method, staleness] = pinned;
    const schedule = `delivery.schedule={staleness: ${staleness}}`;
    const set = [...common, schedule, `learning.method=${method}`, `wire.dtype=${dtype}`];
    const [found, expected] = await bothOutcomes(config, set);
    expect(found).toEqual(expected);
    // The control: floats teach something else.
    const floats = await chainOutcome(config, [...set, "wire.dtype=f32"]);
    expect(floats.digests[0]).not.toBe(expected.digests[0]);
  });
});

/** Of the processes, and of one: computed while they run, since they leave a core idle now and then. */
function bothOutcomes(config: string, set: readonly string[]): Promise<[Outcome, Outcome]> {
  return Promise.all([processesOutcome(config, set), chainOutcome(config, set)]);
}

/** Asked for as often as it is compared with, and always the same. */
const computed = new Map<string, Promise<Outcome>>();

function chainOutcome(config: string, set: readonly string[]): Promise<Outcome> {
  const key = JSON.stringify([config, set]);
  const outcome = computed.get(key) ?? computeOutcome(config, set);
  computed.set(key, outcome);
  return outcome;
}

async function processesOutcome(config: string, set: readonly string[]): Promise<Outcome> {
  const experiment = new Experiment(config, { set });
  try {
    const summary = await experiment.summary();
    expect(summary.layers.map(({ applied, restarts }) => ({ applied, restarts }))).toEqual(
      summary.config.layers.map(() => ({ applied: [[0, BATCHES - 1]], restarts: 0 })),
    );
    return runOutcome(summary);
  } finally {
    await experiment.close();
  }
}

function short({ digests, test }: Outcome): string {
  return `${digests.map((digest) => digest.slice(0, 8)).join(" ")}, loss ${test.loss}`;
}
