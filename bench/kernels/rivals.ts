import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Candidate } from "./work.ts";

interface Rival {
  readonly name: string;
  readonly can: Candidate["can"];
  readonly command: string;
  readonly program: string;
  readonly flags?: readonly string[];
  /** An OpenBLAS older than the processor may take it for one of 2004 unless told otherwise. */
  readonly coreType: string;
  readonly missing: string;
}

const EVERYTHING = ["multiply", "step", "decoupled"] as const;
const NODE = { command: process.execPath, flags: ["--import", "tsx"], program: "./time-openblas.ts" };

/** Best first. */
const CORE_TYPES = ["SkylakeX", "Haswell"];

/** OpenBLAS by each core type that runs here, and PyTorch by the best of them; each in a process of its own. */
export async function startRivals(python: string): Promise<{ candidates: Candidate[]; says: string[] }> {
  const candidates: Candidate[] = [];
  const says: string[] = [];
  const add = async (rival: Rival) => {
    const { candidate, says: said } = await start(rival);
    says.push(said);
    if (candidate) candidates.push(candidate);
    return candidate !== undefined;
  };
  const runs: string[] = [];
  for (const coreType of CORE_TYPES) {
    const missing = "no libopenblas, or not for this processor";
    if (await add({ ...NODE, name: coreType, can: ["multiply"], coreType, missing })) runs.push(coreType);
  }
  const coreType = process.env.OPENBLAS_CORETYPE ?? runs[0] ?? CORE_TYPES[0]!;
  const missing = `${python} cannot import torch (set PYTHON)`;
  await add({
    name: "torch",
    can: EVERYTHING,
    command: python,
    program: "./time-torch.py",
    coreType,
    missing,
  });
  return { candidates, says };
}

async function start(rival: Rival): Promise<{ candidate?: Candidate; says: string }> {
  const { name, can, command, program, flags = [], coreType, missing } = rival;
  const one = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
  const env = { ...process.env, ...one, OPENBLAS_CORETYPE: coreType };
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(command, [...flags, file], { env, stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hello = await lines.next();
  // A core type that the processor cannot run ends the process as a missing library does.
  if (hello.done) return { says: `left out: ${name}: ${missing}` };
  const candidate: Candidate = {
    name,
    can,
    async secondsPerRun(work, ms) {
      child.stdin.write(`${JSON.stringify({ ...work, seconds: ms / 1000 })}\n`);
      const answer = await lines.next();
      if (answer.done) throw new Error(`Cannot time ${name}: its process has ended`);
      return Number(answer.value);
    },
    stop: () => child.stdin.end(),
  };
  return { candidate, says: `${hello.value}, 1 thread, OPENBLAS_CORETYPE=${coreType}` };
}
