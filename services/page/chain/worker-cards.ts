import { conditionOf, type Tone } from "../../../shared/record/condition.ts";
import type { WorkerView } from "../../../shared/record/hub-api.ts";
import type { EventLine } from "../../../shared/record/lines.ts";
import { bytes, count, duration, figure, rate, short } from "../../../shared/record/numbers.ts";
import { spokenName } from "../../../shared/record/worker-name.ts";

/** After so long without a word figures are shown as old; workers speak twice a second. */
export const OLD_AFTER_MS = 2_500;

export interface WorkerCard {
  readonly worker: string;
  /** "source", "layer 2", "layer 4 · head" */
  readonly title: string;
  readonly shape: readonly string[];
  readonly tone: Tone;
  /** One word: "training", "unreachable", … */
  readonly state: string;
  /** What is known beside it: "exit 137, 4 s ago". */
  readonly note?: string;
  readonly batch: string;
  readonly rate: string;
  readonly figures: readonly Figure[];
  readonly alarm?: string;
  /** Figures are not of now; `age` says how old they are. */
  readonly isOld: boolean;
  readonly age?: string;
}

interface Figure {
  readonly name: string;
  readonly value: string;
  /** What the figure means. */
  readonly title: string;
}

/** `now` by the hub's clock. */
export function cardOf(
  worker: WorkerView,
  isHead: boolean,
  now: number,
  events: readonly EventLine[],
): WorkerCard {
  const { tone, state } = conditionOf(worker);
  const isOld = isOldAt(worker, now);
  const age = ageOf(worker, now);
  const note = noteOf(worker, now);
  return {
    worker: worker.name,
    title: spokenName(worker.name, isHead),
    shape: shapeOf(worker),
    tone,
    state,
    ...(note === undefined ? {} : { note }),
    batch: worker.batch < 0 ? "–" : count(worker.batch),
    rate: rate(isOld || tone === "done" ? undefined : worker.perSecond),
    figures: figuresOf(worker, isHead, events),
    ...(worker.alarm === undefined ? {} : { alarm: worker.alarm }),
    isOld,
    ...(isOld && age !== undefined ? { age } : {}),
  };
}

export function isOldAt({ contact, why, heardAt }: WorkerView, now: number): boolean {
  // Who has finished, or has not come, has nothing newer to say; who was stopped may come back.
  if (contact === "absent") return false;
  if (contact === "gone") return why !== "finished";
  if (contact !== "connected") return true;
  return heardAt === undefined || now - heardAt > OLD_AFTER_MS;
}

function ageOf({ heardAt }: WorkerView, now: number): string | undefined {
  return heardAt === undefined ? undefined : duration((now - heardAt) / 1000);
}

function noteOf(worker: WorkerView, now: number): string | undefined {
  const since = duration((now - worker.since) / 1000);
  if (worker.contact === "dead")
    return worker.why === undefined ? `for ${since}` : `${worker.why}, ${since} ago`;
  if (worker.contact !== "unreachable") return undefined;
  const heard = ageOf(worker, now);
  return heard === undefined ? "never heard" : `last heard ${heard} ago`;
}

function shapeOf({ layer, shape }: WorkerView): string[] {
  if (shape === undefined) return layer === undefined ? ["data, and evaluation"] : [];
  const widths = `${count(shape.inputs)} → ${count(shape.outputs)}`;
  if (shape.parameters === 0) return [widths, shape.what].filter((line) => line !== "");
  return [
    widths,
    [shape.what, `${short(shape.parameters)} parameters`].filter((each) => each !== "").join(", "),
  ];
}

function figuresOf(worker: WorkerView, isHead: boolean, events: readonly EventLine[]): Figure[] {
  return [
    ...(isHead ? [named("loss", figure(worker.loss), "Mean training loss, lately")] : []),
    ...generatorFigures(worker, isHead),
    named(
      "life",
      lifeOf(worker, events),
      "How many times it was started; the batch of the checkpoint it began at",
    ),
    ...(worker.durable === undefined
      ? []
      : [
          named(
            "durable",
            worker.durable < 0 ? "none yet" : count(worker.durable),
            worker.store === undefined
              ? "Highest batch in a checkpoint on its own disk"
              : `Highest batch in a checkpoint that is in ${worker.store}`,
          ),
        ]),
    ...(worker.node === undefined
      ? []
      : [named("node", worker.node, "The machine it lives on, or lived on last")]),
    ...(worker.rssBytes === undefined
      ? []
      : [named("memory", bytes(worker.rssBytes), "Resident memory of its process")]),
    ...(worker.keptBytes === undefined
      ? []
      : [named("kept", bytes(worker.keptBytes), "Of that memory: what it sent, kept to be sent again")]),
    ...(worker.dropped > 0
      ? [
          named(
            "not told",
            count(worker.dropped),
            "Log lines and events it had to drop while nobody listened",
          ),
        ]
      : []),
  ];
}

function generatorFigures(worker: WorkerView, isHead: boolean): Figure[] {
  if (isHead || worker.layer === undefined) return [];
  return [
    named(
      "guess error",
      figure(worker.generatorError),
      "Σ|guess − target|² / Σ|target|²: 0 is perfect, 1 is no better than guessing zero",
    ),
    named(
      "cosine",
      figure(worker.cosine),
      "Between the guessed and the received gradient: 1 is the same direction",
    ),
  ];
}

function lifeOf({ name, incarnation }: WorkerView, events: readonly EventLine[]): string {
  const restored = events.findLast(
    (each) => each.name === "restored" && each.worker === name && each.incarnation === incarnation,
  );
  return restored?.batch === undefined
    ? String(incarnation)
    : `${incarnation}, from batch ${count(restored.batch)}`;
}

function named(name: string, value: string, title: string): Figure {
  return { name, value, title };
}
