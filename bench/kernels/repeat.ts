/** Seconds of CPU time of one run. Doubles the number of runs until they take long enough: reading the clock costs more than a small product. */
export function repeat(run: () => void, leastSeconds: number): number {
  for (let runs = 1; ; runs *= 2) {
    const start = process.cpuUsage();
    for (let i = 0; i < runs; i++) run();
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    if (seconds >= leastSeconds / 2) return seconds / runs;
  }
}
