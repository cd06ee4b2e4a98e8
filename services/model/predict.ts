import { createReadStream } from "node:fs";
import type { DataFacts } from "../../shared/config/data-facts.ts";
import { DataFileError } from "../../shared/data/data-file.ts";
import { EncodeError, encodeNumbers } from "../../shared/data/encode.ts";
import { NpyFile } from "../../shared/data/npy-file.ts";
import { decodeImage } from "../../shared/data/pictures/image-file.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { Refusal } from "../train/refusal.ts";
import { type Answer, AnswerSheet } from "./answers.ts";
import { Evaluation, rowsAtOnce } from "./evaluation.ts";
import { requireRows } from "./inputs.ts";
import type { Model } from "./model.ts";
import { linesAsTheyCome, QuestionLines } from "./question-lines.ts";

/** Examples computed at once, at most. */
const MOST_ROWS = 256;
const IMAGE = /\.(png|jpe?g)$/i;
const ARRAYS = /\.npy$/i;

export interface PredictRequest {
  /** Paths; "-" is `input`. */
  readonly files: readonly string[];
  readonly format: "ndjson" | "csv";
}

interface Question {
  /** "digits.csv:3", or the file of an image. */
  readonly at: string;
  readonly input: Float32Array;
}

/**
 * Writes a line for each example, as soon as it is read. Throws a Refusal that names the place of what cannot be one; the
 * answers to what came before are written by then.
 */
export async function predict(
  model: Model,
  { files, format }: PredictRequest,
  kernels: Kernels,
  input: () => AsyncIterable<Buffer | string>,
  write: (text: string) => void,
): Promise<void> {
  requireRows(model);
  const most = rowsAtOnce(model, MOST_ROWS);
  const evaluation = new Evaluation(kernels, model, most);
  const sheet = new AnswerSheet(model.facts);
  const line = format === "csv" ? csvLine : ndjsonLine;
  if (format === "csv") write(csvHeader(model.facts, sheet));
  const all = new Float32Array(most * evaluation.inputs);
  for (const file of files) {
    for await (const questions of questionsIn(model.facts, file, input)) {
      for (let from = 0; from < questions.length; from += most) {
        const some = questions.slice(from, from + most);
        for (const [row, question] of some.entries()) all.set(question.input, row * evaluation.inputs);
        const outputs = evaluation.answers(all, some.length);
        const texts = some.map(({ at }, row) => {
          const start = row * evaluation.outputs;
          return line(at, sheet.read(outputs.subarray(start, start + evaluation.outputs)), sheet);
        });
        write(texts.join(""));
      }
    }
  }
}

async function* questionsIn(
  facts: DataFacts,
  file: string,
  input: () => AsyncIterable<Buffer | string>,
): AsyncGenerator<readonly Question[]> {
  if (IMAGE.test(file)) return yield [{ at: file, input: await imageIn(facts, file) }];
  if (ARRAYS.test(file)) return yield* arraysIn(facts, file);
  const name = file === "-" ? "stdin" : file;
  const lines = new QuestionLines(facts);
  let number = 0;
  for await (const some of textOf(file, name, input)) {
    const questions: Question[] = [];
    let wrong: Refusal | undefined;
    for (const line of some) {
      number++;
      try {
        const row = lines.read(number === 1 ? line.replace(/^\uFEFF/, "") : line);
        if (row) questions.push({ at: `${name}:${number}`, input: row });
      } catch (error) {
        if (!(error instanceof EncodeError)) throw error;
        wrong = new Refusal(`${name}:${number}: ${error.message}`, { cause: error });
        break;
      }
    }
    yield questions;
    if (wrong) throw wrong;
  }
}

async function* textOf(file: string, name: string, input: () => AsyncIterable<Buffer | string>) {
  try {
    yield* linesAsTheyCome(file === "-" ? input() : createReadStream(file));
  } catch (error) {
    throw new Refusal(`Cannot read ${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Prepared as the pictures were that the model learnt from. */
async function imageIn(facts: DataFacts, file: string): Promise<Float32Array> {
  if (!facts.image) throw new Refusal(`Cannot predict from ${file}: this model takes no images`);
  try {
    return encodeNumbers(facts, await decodeImage(file, facts.image, facts.fit));
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error;
    throw new Refusal(error.message, { cause: error });
  }
}

function* arraysIn(facts: DataFacts, file: string): Generator<readonly Question[]> {
  let questions: Question[] = [];
  let row = 0;
  let array: NpyFile | undefined;
  try {
    array = NpyFile.open(file);
    const numbers = new Float64Array(array.width);
    for (; row < array.rows; row++) {
      array.readRow(row, numbers, 0);
      questions.push({ at: `${file}:${row + 1}`, input: encodeNumbers(facts, numbers) });
      if (questions.length < MOST_ROWS) continue;
      yield questions;
      questions = [];
    }
    yield questions;
  } catch (error) {
    if (!(error instanceof EncodeError || error instanceof DataFileError)) throw error;
    // What came before is answered first.
    yield questions;
    throw new Refusal(`${file}:${row + 1}: ${error.message}`, { cause: error });
  } finally {
    array?.close();
  }
}

function ndjsonLine(at: string, answer: Answer): string {
  return `${JSON.stringify({ at, ...answer })}\n`;
}

function csvHeader({ judged }: DataFacts, { names }: AnswerSheet): string {
  const columns = judged === "values" ? ["at", ...names] : ["at", "prediction", ...names];
  return `${columns.map(quoted).join(",")}\n`;
}

function csvLine(at: string, answer: Answer, { names }: AnswerSheet): string {
  // By name: an object has names that are numbers in an order of its own.
  const numbers = names.map((name) => ("values" in answer ? answer.values : answer.probabilities)[name]);
  if ("values" in answer) return `${[quoted(at), ...numbers].join(",")}\n`;
  const { prediction } = answer;
  const said = typeof prediction === "string" ? prediction : prediction.join(" ");
  return `${[quoted(at), quoted(said), ...numbers].join(",")}\n`;
}

function quoted(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
