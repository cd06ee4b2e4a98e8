import type { Finding } from "./finding.ts";
import { cannotMount, cannotTrace, failingSync, fullAtTheEnd, fullDisk, readOnly } from "./scenarios/disk.ts";
import { duplicates } from "./scenarios/duplicates.ts";
import { goodput } from "./scenarios/goodput.ts";
import { languageModel } from "./scenarios/gpt.ts";
import { kills, undisturbed } from "./scenarios/kills.ts";
import { fullLoad, stoppedConsumer } from "./scenarios/memory.ts";
import { mixed } from "./scenarios/mixed.ts";
import { flapping, partitions, stops, weathers } from "./scenarios/partitions.ts";
import { stalenessTable } from "./scenarios/staleness.ts";

/** `long`: as often and as long as the bar says, or as a person has patience for; else as it fits a change's tests. */
export interface Scenario {
  readonly name: string;
  /** Why it cannot be tried on this machine; undefined if it can. */
  readonly obstacle?: () => string | undefined;
  /** It takes hours, and is tried only where it is asked for by its name. */
  readonly isByHand?: true;
  readonly run: (size: "short" | "long", seed: number) => Promise<Finding[]>;
}

const RINGS = "configs/two-rings.yaml";
const MNIST = "configs/mnist.yaml";
const WORKERS = ["source", "layer1", "layer2", "layer3"];

/** Two rings for so many batches, judged at the end. */
function rings(batches: number) {
  return { config: RINGS, set: [`run.batches=${batches}`, `run.evaluateEvery=${batches}`] };
}

function turns(size: "short" | "long") {
  return { turnMs: 60_000, turns: size === "long" ? 5 : 1 };
}

/** Fault-free mean of the 44 runs of "no kills"; two of their deviations are less than half a point. */
const KILLED_RINGS = { ...rings(30_000), mostError: 0.00007 + 0.005 };

/** Fault-free mean of seeds 0 to 4 (2.00 to 2.10 %); two of their deviations are less than half a point. */
const KILLED_MNIST = {
  config: MNIST,
  set: ["run.epochs=2"],
  mostError: 0.02048 + 0.005,
};

/** GPT_TEXT: a file to train on instead of the plays, with so many characters: `path` or `path:65`. */
const [text, characters] = (process.env.GPT_TEXT ?? "").split(":");
const SHAKESPEARE = [
  "run.evaluateEvery=2000",
  "data.windows=1742",
  ...(text ? [`data.path=${text}`] : []),
  ...(characters ? [`layers.4.outputs=${characters}`] : []),
];

/** Longer than anybody looks: some ten hours. */
const endless = { config: MNIST, set: ["run.epochs=10000"] };

/** At about the pace of configs/mnist.yaml on two cores. */
const ABSENCES = {
  config: MNIST,
  set: [],
  forms: ["linear", "classifying"],
  perSecond: 150,
} as const;

export const scenarios: readonly Scenario[] = [
  {
    name: "kills",
    run: (size, seed) => {
      const sizes = size === "long" ? { single: 1000, several: 100 } : { single: 50, several: 10 };
      return kills({ ...KILLED_RINGS, ...sizes }, seed);
    },
  },
  { name: "no kills", run: (size) => undisturbed({ ...rings(30_000), runs: size === "long" ? 44 : 2 }) },
  {
    name: "kills in MNIST",
    run: (size, seed) => {
      const sizes = size === "long" ? { single: 200, several: 20 } : { single: 50, several: 10 };
      return kills({ ...KILLED_MNIST, ...sizes }, seed);
    },
  },
  {
    name: "gpt",
    run: (size, seed) => {
      const kinds = { dtypes: ["bf16", "i8"] };
      return size === "long"
        ? languageModel(
            { config: "configs/gpt/shakespeare.yaml", set: SHAKESPEARE, kills: 20, ...kinds },
            seed,
          )
        : languageModel({ config: "configs/gpt/tiny.yaml", set: [], kills: 4, ...kinds }, seed);
    },
  },
  {
    name: "partitions",
    run: (size, seed) =>
      size === "long"
        ? partitions({ ...rings(100_000), forMs: [1000, 5000, 30_000] }, seed)
        : partitions({ ...rings(10_000), forMs: [1000, 4000], ways: ["both", "back"] }, seed),
  },
  {
    name: "stops",
    run: (size, seed) =>
      size === "long"
        ? stops({ ...rings(100_000), forMs: [500, 5000, 30_000], who: WORKERS }, seed)
        : stops({ ...rings(10_000), forMs: [500, 4000], who: ["source", "layer2", "layer3"] }, seed),
  },
  {
    name: "weathers",
    run: (size, seed) => weathers({ ...rings(10_000), forMs: size === "long" ? 20_000 : 3000 }, seed),
  },
  {
    name: "flapping",
    run: (size, seed) => flapping({ ...rings(10_000), times: size === "long" ? 20 : 5, forMs: 300 }, seed),
  },
  {
    name: "mixed",
    run: (size, seed) => {
      const sizes = size === "long" ? { strikes: 60, seeds: 10 } : { strikes: 15, seeds: 2 };
      return mixed({ ...rings(15_000), ...sizes }, seed);
    },
  },
  { name: "full disk", obstacle: cannotMount, run: (_, seed) => fullDisk(rings(15_000), seed) },
  { name: "full at the end", obstacle: cannotMount, run: (_, seed) => fullAtTheEnd(rings(4000), seed) },
  { name: "read-only", obstacle: cannotMount, run: (_, seed) => readOnly(rings(10_000), seed) },
  { name: "failing fsync", obstacle: cannotTrace, run: (_, seed) => failingSync(rings(10_000), seed) },
  { name: "duplicates", run: (_, seed) => duplicates(rings(30_000), seed) },
  {
    name: "stopped consumer",
    run: (size, seed) => stoppedConsumer({ ...endless, forMs: size === "long" ? 60_000 : 8000 }, seed),
  },
  {
    name: "full load",
    run: (size, seed) => fullLoad({ ...endless, forMs: size === "long" ? 600_000 : 30_000 }, seed),
  },
  {
    name: "full load for hours",
    isByHand: true,
    run: (_, seed) => fullLoad({ ...endless, forMs: 2 * 3_600_000 }, seed),
  },
  {
    name: "goodput",
    run: (size, seed) => goodput({ ...endless, ...turns(size), killEveryMs: 15_000, least: 0.97 }, seed),
  },
  {
    name: "goodput under fire",
    run: (size, seed) => goodput({ ...endless, ...turns(size), killEveryMs: 2_000, least: 0.85 }, seed),
  },
  {
    name: "staleness budget",
    run: async (size) =>
      size === "long"
        ? stalenessTable({ ...ABSENCES, seconds: [5, 30, 120], seeds: [0, 1, 2] })
        : stalenessTable({ ...ABSENCES, set: ["run.epochs=1"], seconds: [5], budgets: [64], seeds: [0] }),
  },
];
