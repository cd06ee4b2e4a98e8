import { expect, it } from "vitest";
import { loadConfig } from "../../shared/config/read-config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { errorsOf, findingsOf, Interrupted } from "./scenarios/staleness.ts";

const hidden = "{outputs: 4, nonlinearity: relu, batchNorm: true}";
const set = ["run.batches=80", `layers=[${hidden}, ${hidden}, ${hidden}, {outputs: 2}]`];
const rings = "configs/two-rings.yaml";

it.each(["linear", "classifying"])(
  "with %s generators, an absence comes to the same whichever others were tried before it",
  async (form) => {
    const { config } = loadConfig(rings, [...set, `learning.generator.form=${form}`]);
    const data = await openDataSet(config.data);
    const lengths = [60, 10, 0];
    const alone = (batches: number) => new Interrupted(config, data, 20).errorAfter(batches);
    const shared = new Interrupted(config, data, 20);
    const errors = lengths.map((batches) => shared.errorAfter(batches));
    expect(errors).toEqual(lengths.map(alone));
    // The control: how long it was away does matter.
    expect(new Set(errors).size).toBeGreaterThan(1);
  },
);

it("absences beyond the budget, or the end of the run, count as what is learnt alone in them", async () => {
  const absences = { config: rings, set, forms: ["linear"] as const, perSecond: 10, seconds: [1, 100] };
  const table = { ...absences, budgets: [0, 30, Number.POSITIVE_INFINITY], seeds: [0, 1] };
  const runs = await Promise.all(table.seeds.map((seed) => errorsOf(table, "linear", seed)));
  expect([...runs[0]!.keys()]).toEqual([0, 10, 30, 60]);
  const found = findingsOf(
    table,
    "linear",
    [0.1, 0.2].map((error) => new Map([0, 10, 30, 60].map((alone) => [alone, error]))),
  );
  expect(found.map(({ measured }) => measured.match(/\d+ alone/g))).toEqual([
    ["0 alone", "0 alone"],
    ["10 alone", "30 alone"],
    ["10 alone", "60 alone"],
  ]);
  expect(found[0]!.measured).toMatch(/^15\.00 ± 7\.07 % /);
});
