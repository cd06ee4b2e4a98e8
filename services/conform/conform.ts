import { Bench } from "./bench.ts";
import type { Check } from "./check.ts";
import { barriers } from "./checks/barriers.ts";
import { batches } from "./checks/batches.ts";
import { dialling } from "./checks/dialling.ts";
import { dtypes } from "./checks/dtypes.ts";
import { encodings } from "./checks/encodings.ts";
import { ending } from "./checks/ending.ts";
import { frames } from "./checks/frames.ts";
import { framesBack } from "./checks/frames-back.ts";
import { heartbeat } from "./checks/heartbeat.ts";
import { hellos } from "./checks/hellos.ts";
import { listening } from "./checks/listening.ts";
import { questions } from "./checks/questions.ts";
import { rewinds } from "./checks/rewinds.ts";
import { isUnreachable } from "./reach.ts";
import type { Subject } from "./subject.ts";

/** In this order: the last ones end the worker. */
const CHECKS: readonly Check[] = [
  ...listening,
  ...hellos,
  ...dialling,
  ...batches,
  ...rewinds,
  ...questions,
  ...barriers,
  ...frames,
  ...framesBack,
  ...encodings,
  ...dtypes,
  ...heartbeat,
  ...ending,
];

const LIMIT_MS = 30_000;

interface ConformRequest {
  /** ws://host:port of the worker under test. */
  readonly url: string;
  readonly subject: Subject;
  /** Where it is to dial its successor; undefined for the head. */
  readonly successor: { readonly host: string; readonly port: number } | undefined;
  /** How long it may take to come. */
  readonly waitMs: number;
  readonly say: (line: string) => void;
  /** Of all checks; the last ones end the worker. */
  readonly only?: (check: Pick<Check, "section" | "claim">) => boolean;
  /** Once the successor's port is open. */
  readonly listening?: (port: number) => void;
}

export interface Outcome {
  readonly section: string;
  readonly claim: string;
  /** Undefined where it held. */
  readonly broken: string | undefined;
}

/** Plays both neighbours of a worker and tries every claim that concerns it. Rejects where the worker never comes. */
export async function conform(request: ConformRequest): Promise<Outcome[]> {
  const { url, subject, successor, say, only = () => true } = request;
  const bench = new Bench(url, subject);
  try {
    if (successor) request.listening?.(await bench.listen(successor.host, successor.port));
    await untilThere(bench, request);
    const checks = CHECKS.filter((check) => check.concerns?.(subject) !== false && only(check));
    const outcomes: Outcome[] = [];
    for (const check of checks) {
      const outcome = { section: check.section, claim: check.claim, broken: await tryOut(check, bench) };
      outcomes.push(outcome);
      say(lineOf(outcome));
      // One that has left by a mistake would be told of it by every check to come.
      if (outcome.broken !== undefined && (await isUnreachable(url))) break;
    }
    const broken = outcomes.filter((outcome) => outcome.broken !== undefined).length;
    const untried = checks.length - outcomes.length;
    const rest = untried > 0 ? `, ${untried} not tried, as nobody answers there any more` : "";
    say(`${outcomes.length - broken} held, ${broken} broken${rest}`);
    return outcomes;
  } finally {
    await bench.close();
  }
}

/** Why it is broken; undefined if it held. A bug of these checks is no fault of the worker's, and is told like one all the same. */
async function tryOut({ run, limitMs = LIMIT_MS }: Check, bench: Bench): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it was not done within ${limitMs / 1000} s`), limitMs);
  });
  try {
    return await Promise.race([run(bench).then(() => undefined), late]);
  } catch (error) {
    return (error as Error).message;
  } finally {
    clearTimeout(timer);
  }
}

function lineOf({ section, claim, broken }: Outcome): string {
  return broken === undefined
    ? `held    ${section}: ${claim}`
    : `BROKEN  ${section}: ${claim}\n        ${broken}`;
}

async function untilThere(bench: Bench, { waitMs, url, subject }: ConformRequest): Promise<void> {
  const end = performance.now() + waitMs;
  while (await isUnreachable(url)) {
    if (performance.now() > end) throw new Error(`Cannot check ${url}: nobody answers there`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (subject.isHead) return;
  const left = Math.max(1_000, end - performance.now());
  const arrived = await bench.arrival(left).catch(() => undefined);
  if (arrived === undefined) throw new Error(`Cannot check ${url}: it did not dial its successor`);
  await arrived.close();
}
