import type { Experiment } from "./experiment.ts";

const workers = ["source", "layer1", "layer2", "layer3", "layer4"];

/**
 * Kills workers of a run of four layers until it is over or `most` have died: mostly one at a time, else any at once, 0.2
 * to 1.7 s apart, so that some die while they or others recover. How many died.
 */
export async function killWhileItRuns(
  experiment: Experiment,
  random: () => number,
  most: number,
): Promise<number> {
  await experiment.until("layer4", ({ msg }) => msg === "training");
  let isOver = false;
  void experiment.ended.then(() => {
    isOver = true;
  });
  let killed = 0;
  while (!isOver && killed < most) {
    const victims =
      random() < 0.6
        ? [workers[Math.floor(random() * workers.length)]!]
        : workers.filter(() => random() < 0.5);
    for (const victim of victims) killed += kill(experiment, victim);
    await new Promise((resolve) => setTimeout(resolve, 200 + random() * 1500));
  }
  return killed;
}

/** Lines in which a worker says that a recovery is not exact. */
export function inexact(experiment: Experiment): string[] {
  return workers.flatMap((name) =>
    experiment.log(name).flatMap(({ msg }) => (msg.includes("trace") ? [`${name}: ${msg}`] : [])),
  );
}

/** Lives after the first, of all workers, that came so far as to say so. */
export function restarts(experiment: Experiment): number {
  const lives = workers.map((name) => experiment.log(name).filter(({ msg }) => msg === "started").length);
  return lives.reduce((sum, each) => sum + Math.max(0, each - 1), 0);
}

/** How many died of it: one that died just now may not have been started again. */
function kill(experiment: Experiment, worker: string): number {
  try {
    process.kill(experiment.pid(worker), "SIGKILL");
    return 1;
  } catch {
    return 0;
  }
}
