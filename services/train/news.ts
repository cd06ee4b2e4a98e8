import { testWords } from "../../shared/record/curves/judged.ts";
import { rate, stopwatch } from "../../shared/record/numbers.ts";
import type { Summary } from "../../shared/record/summary.ts";
import { lossWords } from "../../shared/record/text-loss.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import type { TestResult } from "../../shared/wire/frames.ts";
import { lastWord } from "./last-words.ts";
import type { Ending, Note, Outcome } from "./supervision.ts";

type Closing = Pick<Summary, "run" | "config" | "wallSeconds" | "batches" | "test">;

/** Sentences about a run. Pure: what happened in, lines out. */

export function testNews(config: Summary["config"], batch: number, test: TestResult): string {
  return `after ${batch} batches: test ${testWords(test)}, ${lossWords(config, test.loss)}`;
}

/** `alarm`: what does not work at present; undefined when it does again. */
export function alarmNews(worker: string, alarm: string | undefined): string {
  return alarm === undefined ? `${worker} can save again` : `${worker} goes on, but: ${alarm}`;
}

export function noteNews(note: Note, words: readonly string[]): string {
  const { worker } = note;
  switch (note.kind) {
    case "died": {
      const when =
        note.afterMs === 0 ? "starting it again" : `again in ${(note.afterMs / 1000).toFixed(1)} s`;
      return `${worker} ${endingWords(note.ending, words)}; ${when} (restart ${note.restart})`;
    }
    case "stopped":
      return `${worker} was stopped as asked, and stays so until it is told to start`;
    case "ended badly":
      return `${worker} ${endingWords(note.ending, words)}, when the run had finished`;
    case "never began":
      return `${worker} said nothing for ${note.afterMs / 1000} s after its start and was killed`;
    case "killed":
      return `${worker} did not end within ${note.afterMs / 1000} s and was killed`;
  }
}

/** Of the first death since it last listened: it is tried again, ever more slowly, until it does. */
export function dashboardNews(ending: Ending, words: readonly string[]): string {
  return `the dashboard ${endingWords(ending, words)}; it is started again until it listens, and training goes on`;
}

function endingWords(ending: Ending, words: readonly string[]): string {
  if ("signal" in ending) return `was ended by ${ending.signal}`;
  if ("fault" in ending) return `could not be started (${ending.fault})`;
  if (ending.code === ExitCode.done) return "left before the run had finished";
  if (ending.code === ExitCode.startAgain) return "has saved, and is to start again";
  const word = lastWord(words);
  return `died with code ${ending.code}${word ? ` (${word})` : ""}`;
}

/** `log`: where the whole story is. */
export function failureNews(
  failure: Extract<Outcome, { kind: "failed" }>,
  words: readonly string[],
  log: string,
): string[] {
  const { worker, code, deaths } = failure;
  const what = deaths
    ? `died ${deaths} times without getting any further`
    : code === ExitCode.cannotStart
      ? "cannot start"
      : "gave up";
  return [`${worker} ${what} (code ${code}):`, ...words.map((word) => `  ${word}`), `the whole log: ${log}`];
}

export function stopNews(cursor: number | undefined, resume: string): string {
  const where = cursor === undefined || cursor < 0 ? "before the first batch" : `at batch ${cursor}`;
  return `stopped ${where}; go on with: ${resume}`;
}

/** `deaths`: how many there were, and whether they left a trace, where that is known. */
export function closingNews(closing: Closing, folder: string, deaths?: string): string[] {
  const { run, config, wallSeconds, batches, test } = closing;
  const perSecond = wallSeconds > 0 ? batches / wallSeconds : undefined;
  return [
    `${run} has finished: ${batches} batches in ${stopwatch(wallSeconds)}, ${rate(perSecond)} batches/s`,
    `test ${testWords(test)}, ${lossWords(config, test.loss)}`,
    ...(deaths === undefined ? [] : [deaths]),
    `record: ${folder}`,
  ];
}
