import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { loadLibrary } from "../../shared/math/native/library.ts";
import type { Candidate } from "./work.ts";

interface Program {
  readonly name: string;
  readonly can: Candidate["can"];
  /** In the order of the command line: what runs it, and the file. */
  readonly command: readonly string[];
  readonly file: string;
  /** An OpenBLAS older than the processor may take it for one of 2004 unless told otherwise. */
  readonly coreType?: string;
  readonly missing: string;
}

const EVERYTHING = ["multiply", "step", "decoupled"] as const;
const NODE = [process.execPath, "--import", "tsx"];

/** Best first. */
const CORE_TYPES = ["SkylakeX", "Haswell"];

interface Candidates {
  /** Ours first, the best first: native by every path of this processor, then the others. */
  readonly candidates: readonly Candidate[];
  /** Versions of the others', and who was left out and why. */
  readonly says: readonly string[];
}

/** Our kernel sets, OpenBLAS by each core type that runs here, and PyTorch by the best of them; each in a process of its own. */
export async function startCandidates(python: string): Promise<Candidates> {
  const candidates: Candidate[] = [];
  const says: string[] = [];
  const add = async (program: Program) => {
    const started = await start(program);
    const { name, coreType, missing } = program;
    if (!started) says.push(`left out: ${name}: ${missing}`);
    else if (coreType) says.push(`${started.hello}, 1 thread, OPENBLAS_CORETYPE=${coreType}`);
    if (started) candidates.push(started.candidate);
    return started !== undefined;
  };
  for (const name of [...loadLibrary(process).paths, "wasm-relaxed", "wasm", "plain"]) {
    const missing = "does not run here";
    await add({ name, can: EVERYTHING, command: NODE, file: "./time-ours.ts", missing });
  }
  const runs: string[] = [];
  for (const coreType of CORE_TYPES) {
    const missing = "no libopenblas, or not for this processor";
    const openBlas = {
      name: coreType,
      can: ["multiply"],
      command: NODE,
      file: "./time-openblas.ts",
    } as const;
    if (await add({ ...openBlas, coreType, missing })) runs.push(coreType);
  }
  const coreType = process.env.OPENBLAS_CORETYPE ?? runs[0] ?? CORE_TYPES[0]!;
  const missing = `${python} cannot import torch (set PYTHON)`;
  await add({
    name: "torch",
    can: EVERYTHING,
    command: [python],
    file: "./time-torch.py",
    coreType,
    missing,
  });
  return { candidates, says };
}

async function start(program: Program): Promise<{ candidate: Candidate; hello: string } | undefined> {
  const { name, can, command, coreType } = program;
  const one = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
  const env = { ...process.env, ...one, ...(coreType && { OPENBLAS_CORETYPE: coreType }) };
  const file = fileURLToPath(new URL(program.file, import.meta.url));
  const [first, ...flags] = command;
  const child = spawn(first!, [...flags, file, name], { env, stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hello = await lines.next();
  // A core type that the processor cannot run ends the process as a missing library does.
  if (hello.done) return undefined;
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
  return { candidate, hello: hello.value };
}
