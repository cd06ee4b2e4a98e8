/**
 * npm run chaos -- [--long] [--only name,name] [--seed n] [--record]: lets go wrong what can, and says what came of it.
 * --record writes the findings into docs/chaos.json and docs/failures.md.
 */
import { parseArgs } from "node:util";
import { record } from "./record.ts";
import { scenarios } from "./scenarios.ts";

const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    only: { type: "string" },
    seed: { type: "string", default: "1" },
    record: { type: "boolean", default: false },
  },
});
const size = values.long ? "long" : "short";
const only = values.only?.split(",");
const unknown = (only ?? []).filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  console.error(
    `Cannot try ${unknown.join(", ")}: there are ${scenarios.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

let isWell = true;
for (const { name, obstacle, isByHand, run } of scenarios) {
  if (only ? !only.includes(name) : isByHand) continue;
  const why = obstacle?.();
  if (why !== undefined) {
    console.log(`${name}: skipped, ${why}`);
    continue;
  }
  try {
    const findings = await run(size, Number(values.seed));
    for (const { claim, bar, measured, met } of findings)
      console.log(`${met ? "met   " : "NOT MET"} ${name}: ${claim}: ${measured} (bar: ${bar})`);
    if (values.record) record({ name, size, date: new Date().toISOString().slice(0, 10), findings });
    isWell &&= findings.every(({ met }) => met);
  } catch (error) {
    isWell = false;
    console.log(
      `FAILED  ${name}, again with: npm run chaos -- ${values.long ? "--long " : ""}--only "${name}" --seed ${values.seed}`,
    );
    console.log((error as Error).stack);
  }
}
process.exit(isWell ? 0 : 1);
