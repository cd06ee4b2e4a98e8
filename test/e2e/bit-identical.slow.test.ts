import { describe, expect, it } from "vitest";
import { BATCHES, bothOutcomes, chainOutcome, processesOutcome } from "../support/both-outcomes.ts";
import type { Outcome } from "../support/chain.ts";

const SETS = [
  { config: "configs/binary-addition.yaml", staleness: 1, kernels: "wasm" },
  { config: "configs/binary-addition.yaml", staleness: 4, kernels: "auto" },
  { config: "configs/mnist.yaml", staleness: 1, kernels: "auto" },
  { config: "configs/mnist.yaml", staleness: 4, kernels: "wasm" },
  { config: "configs/mnist.yaml", staleness: 4, kernels: "auto" },
  { config: "configs/paper/unlock/unlock3.yaml", staleness: 3, kernels: "auto" },
  { config: "configs/gpt/tiny.yaml", staleness: 4, kernels: "auto" },
];
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

function short({ digests, test }: Outcome): string {
  return `${digests.map((digest) => digest.slice(0, 8)).join(" ")}, loss ${test.loss}`;
}
