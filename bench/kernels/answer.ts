import { createInterface } from "node:readline";

/**
 * Times for candidates.ts: one JSON work a line in, the seconds of one run of it a line out. `name` goes first, once the
 * program is able to.
 */
export async function answer<Work>(name: string, prepare: (work: Work) => () => void): Promise<void> {
  const prepared = new Map<string, () => void>();
  console.log(name);
  for await (const line of createInterface({ input: process.stdin })) {
    const work = JSON.parse(line) as Work & { readonly seconds: number };
    const run = prepared.get(line) ?? prepare(work);
    prepared.set(line, run);
    console.log(repeat(run, work.seconds));
  }
}

/** Seconds of CPU time of one run. Doubles the number of runs until they take long enough: reading the clock costs more than a small product. */
function repeat(run: () => void, leastSeconds: number): number {
  for (let runs = 1; ; runs *= 2) {
    const start = process.cpuUsage();
    for (let i = 0; i < runs; i++) run();
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    if (seconds >= leastSeconds / 2) return seconds / runs;
  }
}
