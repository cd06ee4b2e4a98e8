import { expect } from "vitest";
import type { Worker } from "./worker-process.ts";

/** Tells a worker to stop; what it had learnt, where it has lived through all that came before in its first life. */
export async function stopUnharmed(worker: Worker) {
  worker.signal("SIGTERM");
  expect(await worker.ended).toBe(0);
  expect(worker.said("started")).toHaveLength(1);
  const { applied, digest } = await worker.says("stopped");
  return { applied, digest };
}
