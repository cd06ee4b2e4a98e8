import type { DataFacts } from "../../../shared/config/data-facts.ts";
import { textDecoder } from "../../../shared/data/decode-text.ts";
import { drawer } from "../../../shared/math/draw.ts";
import type { Answer, Question } from "../../../shared/record/hub-api.ts";
import { spokenName } from "../../../shared/record/worker-name.ts";

/** Ids of one sample: each is asked for by a question of its own. */
const LENGTH = 200;
const SEED = 1;
const WARMTH = { temperature: 0.8, topK: Number.POSITIVE_INFINITY };
/** A new one is not begun before. */
const RENEW_MS = 30_000;

/** Whether the network can write: it says what comes next in a text. */
export function isText({ sequence, window }: DataFacts): boolean {
  return sequence !== undefined || window !== undefined;
}

/** What stands of a sample, and the batches of the head it was written at, the first and the last; undefined before. */
export interface Written {
  readonly prompt: string;
  readonly text: string;
  readonly batches: readonly [number, number] | undefined;
}

/** One sample, an id at a time. Same seed: what changes from one sample to the next is the network. */
export class Writer {
  readonly #prompt: string;
  readonly #begunMs: number;
  readonly #ids: number[] = [];
  readonly #draw = drawer(SEED, WARMTH);
  readonly #decode: (id: number) => string;
  #text = "";
  #batches: Written["batches"];

  constructor(data: DataFacts, prompt: string, nowMs: number) {
    this.#prompt = prompt;
    this.#begunMs = nowMs;
    this.#decode = textDecoder(data);
  }

  get question(): Question {
    return { text: this.#prompt, ids: this.#ids };
  }

  get written(): Written {
    return { prompt: this.#prompt, text: this.#text, batches: this.#batches };
  }

  get isWhole(): boolean {
    return this.#ids.length === LENGTH;
  }

  /** Whether another one may begin: this one is whole and old, and the head has learnt since. */
  isDue(nowMs: number, batch: number): boolean {
    return this.isWhole && nowMs - this.#begunMs >= RENEW_MS && batch > this.#batches![1];
  }

  /** Draws the next id by what the head believes. */
  take(beliefs: readonly number[], batch: number): void {
    const id = this.#draw(Float32Array.from(beliefs, Math.log));
    this.#ids.push(id);
    this.#text += this.#decode(id);
    this.#batches = [this.#batches?.[0] ?? batch, batch];
  }
}

/** Why the head said nothing: the refusal, or the first worker that did not answer. */
export function whyNothing(answers: readonly Answer[], workers: readonly string[]): string {
  const refused = answers.find(({ refusal }) => refusal !== undefined);
  if (refused) return refused.refusal!;
  const heard = new Set(answers.map(({ worker }) => worker as string));
  const silent = workers.find((name) => !heard.has(name));
  return silent === undefined
    ? "the head says nothing of what comes next"
    : `${spokenName(silent)} does not answer`;
}
