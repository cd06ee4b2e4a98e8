import { randomInt } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import type { DataFacts } from "../../../shared/config/data-facts.ts";
import { EncodeError, encodeRow, encodeText } from "../../../shared/data/encode.ts";
import { lastIds, windowOf } from "../../../shared/data/text-window.ts";
import type { Answer, Question } from "../../../shared/record/hub-api.ts";
import { layerName, type WorkerName } from "../../../shared/record/worker-name.ts";
import type { AnswerMessage } from "../../../shared/telemetry/messages.ts";
import type { TelemetryClient } from "../../../shared/telemetry/telemetry-server.ts";
import { bodyOf, HttpError } from "../answer.ts";

interface QuestionOptions {
  /** Of the network. */
  readonly layers: number;
  readonly data: DataFacts;
  readonly mostASecond: number;
  /** Undefined where it is not connected. */
  readonly visitor: (worker: WorkerName) => TelemetryClient | undefined;
  readonly steadyMs: () => number;
}

/** What a worker takes from the hub has at most 64 KB. */
const MOST_BODY_BYTES = 60_000;
const MOST_INPUTS = 16_384;
const MOST_WAITING = 64;
/** Whatever has not been answered by then is not. */
const WAIT_MS = 1_000;

const whole = z.int().min(0);
const shape = z.union([
  z.strictObject({ example: whole }),
  z.strictObject({ row: z.record(z.string(), z.unknown()) }),
  z.strictObject({ text: z.string(), ids: z.array(whole).max(MOST_INPUTS).optional() }),
  z.strictObject({ input: z.array(z.number()).max(MOST_INPUTS) }),
]);

/** Of one reader, to which each answer is passed on as it comes. */
interface Waiting {
  readonly response: ServerResponse;
  readonly sinceMs: number;
  readonly heard: Set<WorkerName>;
  readonly end: NodeJS.Timeout;
}

const LINES = { "content-type": "application/x-ndjson", "cache-control": "no-store" };

/** Passes questions of readers to the source, and the answers of all workers back to them. */
export class Questions {
  readonly #options: QuestionOptions;
  readonly #waiting = new Map<number, Waiting>();
  #next = randomInt(2 ** 40);
  #left: number;
  #filledMs: number;

  constructor(options: QuestionOptions) {
    this.#options = options;
    this.#left = options.mostASecond;
    this.#filledMs = options.steadyMs();
  }

  /**
   * Answers by a line of JSON for each worker. A source that is away or takes no questions is a refusal, not an error: a page
   * asks each second, and a browser would write each error to its console. Rejects with an HttpError: 400, 413, 429.
   */
  async ask(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = encoded(readQuestion(await bodyOf(request, MOST_BODY_BYTES)), this.#options.data);
    const source = this.#options.visitor("source");
    if (source === undefined) return refuse(response, "the source is not connected");
    if (source.introduction.questions !== true) return refuse(response, "the source takes no questions");
    this.#takeTurn();
    const question = this.#next++;
    const end = setTimeout(() => this.#end(question), WAIT_MS);
    const sinceMs = this.#options.steadyMs();
    this.#waiting.set(question, { response, sinceMs, heard: new Set(), end });
    response.on("close", () => this.#end(question));
    response.writeHead(200, LINES);
    response.flushHeaders();
    source.ask({ question, ...asked });
  }

  /** An answer to no open question, or that was heard already, is dropped. */
  answered(worker: WorkerName, { kind: _, question, ...answer }: AnswerMessage): void {
    const waiting = this.#waiting.get(question);
    if (waiting === undefined || waiting.heard.has(worker)) return;
    waiting.heard.add(worker);
    const ms = Math.round((this.#options.steadyMs() - waiting.sinceMs) * 10) / 10;
    const line: Answer = { worker, ms, ...answer };
    waiting.response.write(`${JSON.stringify(line)}\n`);
    if (answer.refusal !== undefined || this.#isComplete(waiting.heard)) this.#end(question);
  }

  close(): void {
    for (const question of [...this.#waiting.keys()]) this.#end(question);
  }

  /** All that are connected have answered, up to the first layer that is away: nothing passes it. */
  #isComplete(heard: ReadonlySet<WorkerName>): boolean {
    const { layers, visitor } = this.#options;
    for (let number = 1; number <= layers; number++) {
      const name = layerName(number);
      if (heard.has(name)) continue;
      return visitor(name) === undefined && heard.has("source");
    }
    return true;
  }

  #takeTurn(): void {
    const { steadyMs, mostASecond } = this.#options;
    const now = steadyMs();
    this.#left = Math.min(mostASecond, this.#left + ((now - this.#filledMs) / 1000) * mostASecond);
    this.#filledMs = now;
    if (this.#left < 1 || this.#waiting.size >= MOST_WAITING)
      throw new HttpError(429, `this hub passes on ${mostASecond} questions a second`);
    this.#left--;
  }

  #end(question: number): void {
    const waiting = this.#waiting.get(question);
    if (waiting === undefined) return;
    this.#waiting.delete(question);
    clearTimeout(waiting.end);
    waiting.response.end();
  }
}

/** As the source takes it. Throws an HttpError that names what cannot be encoded. */
function encoded(
  { example, input, row, text, ids }: Question,
  data: DataFacts,
): Pick<Question, "example" | "input"> {
  if (example !== undefined) return { example };
  if (input !== undefined) return { input };
  try {
    return { input: row === undefined ? inputOf(text ?? "", ids ?? [], data) : [...encodeRow(data, row)] };
  } catch (error) {
    if (error instanceof EncodeError) throw new HttpError(400, error.message);
    throw error;
  }
}

function inputOf(text: string, after: readonly number[], data: DataFacts): number[] {
  const { sequence, window } = data;
  const vocabulary = sequence?.vocabulary ?? data.labelWidth;
  const unknown = after.find((id) => id >= vocabulary);
  if (unknown !== undefined)
    throw new EncodeError(`Cannot encode a text: id ${unknown} comes after it, there are ${vocabulary}`);
  const all = () => [...encodeText(data, text), ...after];
  if (sequence) return lastIds(data, all(), sequence.positions);
  if (window !== undefined) return [...windowOf({ ...data, window }, all())];
  throw new EncodeError("Cannot encode a text: the inputs of this model are none");
}

/** In the name of the source. */
function refuse(response: ServerResponse, refusal: string): void {
  const line: Answer = { worker: "source", batch: -1, ms: 0, refusal };
  response.writeHead(200, LINES).end(`${JSON.stringify(line)}\n`);
}

function readQuestion(text: string): Question {
  try {
    return shape.parse(JSON.parse(text)) as Question;
  } catch {
    throw new HttpError(
      400,
      'expected {"example": a whole number}, {"input": [numbers]}, {"row": {…}} or {"text": "…", "ids": […]}',
    );
  }
}
