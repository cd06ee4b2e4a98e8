import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Candidate } from "./work.ts";

const program = fileURLToPath(new URL("./time-torch.py", import.meta.url));

/** PyTorch in a process of its own, or why there is none. */
export async function startTorch(python: string): Promise<{ candidate?: Candidate; says: string }> {
  // An OpenBLAS older than the processor may take it for one of 2004 unless told otherwise.
  const coreType = process.env.OPENBLAS_CORETYPE ?? "SkylakeX";
  const env = {
    ...process.env,
    OPENBLAS_CORETYPE: coreType,
    OPENBLAS_NUM_THREADS: "1",
    OMP_NUM_THREADS: "1",
  };
  const child = spawn(python, [program], { env, stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hello = await lines.next();
  if (hello.done) {
    // A core type that the processor cannot run ends the process as a missing module does.
    return {
      says: `no PyTorch: ${python} cannot import torch, or not run it as ${coreType} (set PYTHON, OPENBLAS_CORETYPE)`,
    };
  }
  const candidate: Candidate = {
    name: "torch",
    async secondsPerRun(work, ms) {
      child.stdin.write(`${JSON.stringify({ ...work, seconds: ms / 1000 })}\n`);
      const answer = await lines.next();
      if (answer.done) throw new Error("Cannot time PyTorch: its process has ended");
      return Number(answer.value);
    },
    stop: () => child.stdin.end(),
  };
  return { candidate, says: `PyTorch ${hello.value}, 1 thread, OPENBLAS_CORETYPE=${coreType}` };
}
