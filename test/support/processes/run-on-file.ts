import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EventLine, MetricLine, Segment } from "../../../shared/record/lines.ts";
import type { Speaker } from "../../../shared/record/worker-name.ts";

export const BEGAN_AT = Date.UTC(2026, 0, 2, 12);

const CONFIG = `
name: two-rings
seed: 1
data: { set: two-rings }
layers:
  - { outputs: 8, nonlinearity: relu, batchNorm: true }
  - { outputs: 8, nonlinearity: relu, batchNorm: true }
  - { outputs: 2 }
learning: { method: cdni }
run: { batchSize: 64, batches: 100, evaluateEvery: 50, checkpointEvery: 25 }
`;

export interface Made {
  readonly metrics?: readonly MetricLine[];
  readonly events?: readonly EventLine[];
  readonly config?: string;
  readonly startedAt?: number;
}

/** A run's folder with these lines in its record, as the hub leaves it; its path. */
export function runOnFile(runs: string, id: string, made: Made = killedRun()): string {
  const folder = join(runs, id);
  mkdirSync(join(folder, "logs"), { recursive: true });
  writeFileSync(join(folder, "config.yaml"), made.config ?? CONFIG);
  writeFileSync(join(folder, "started"), `${new Date(made.startedAt ?? BEGAN_AT).toISOString()}\n`);
  writeFileSync(join(folder, "metrics.ndjson"), (made.metrics ?? []).map(asLine).join(""));
  writeFileSync(join(folder, "events.ndjson"), (made.events ?? []).map(asLine).join(""));
  return folder;
}

function asLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Layer 2 dies at batch 59, 6 s after the beginning, and goes on from its checkpoint of batch 49 two seconds later. */
export function killedRun(): Required<Pick<Made, "metrics" | "events">> {
  const metrics: MetricLine[] = [];
  for (let first = 0; first < 100; first += 10) {
    metrics.push(segment("source", 1, first), learnt("layer1", 1, first), learnt("layer3", 1, first));
    if (first < 60) metrics.push(learnt("layer2", 1, first));
  }
  for (let first = 50; first < 100; first += 10) metrics.push(learnt("layer2", 2, first));
  for (const batch of [0, 50, 100]) {
    const test = { loss: 1 - batch / 200, error: 0.5 - batch / 250 };
    metrics.push({ kind: "evaluation", worker: "layer3", incarnation: 1, at: atBatch(batch), batch, test });
  }
  const events = [
    ...(["source", "layer1", "layer2", "layer3"] as const).map((worker) =>
      event(worker, 1, 0, "began", "from nothing"),
    ),
    event("train", 0, 6_000, "died", "SIGKILL", { about: "layer2", batch: 59 }),
    event("layer2", 2, 8_000, "restored", "from batch 49", { batch: 49 }),
    event("layer1", 1, 8_100, "linked", "successor is back"),
  ];
  return { metrics, events };
}

export function event(
  worker: Speaker,
  incarnation: number,
  afterMs: number,
  name: EventLine["name"],
  text: string,
  more: Partial<EventLine> = {},
): EventLine {
  return { kind: "event", worker, incarnation, at: BEGAN_AT + afterMs, name, text, ...more };
}

function segment(worker: Speaker, incarnation: number, first: number): Segment {
  const last = first + 9;
  const late = incarnation > 1 ? 3_000 : 0;
  return { kind: "segment", worker, incarnation, at: atBatch(last) + late, first, last, spanMs: 1_000 };
}

function learnt(worker: Speaker, incarnation: number, first: number): Segment {
  const health = { generatorError: 1 - first / 200, cosine: first / 100, staleness: 3, targets: 10 };
  const figures = worker === "layer3" ? { loss: 1 / (1 + first) } : health;
  return { ...segment(worker, incarnation, first), ...figures };
}

function atBatch(batch: number): number {
  return BEGAN_AT + batch * 100;
}
