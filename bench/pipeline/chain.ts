/** `chain.ts EPOCHS`: the run of configs/mnist.yaml in one process, one layer after another; says its seconds. */
import { chainOutcome } from "../../test/support/chain.ts";

const [epochs] = process.argv.slice(2);
const startedAt = performance.now();
const { test } = await chainOutcome("configs/mnist.yaml", [`run.epochs=${epochs}`]);
console.log(JSON.stringify({ seconds: (performance.now() - startedAt) / 1000, error: test.error }));
