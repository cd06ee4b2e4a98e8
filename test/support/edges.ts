import { Readable } from "node:stream";
import type { Edges } from "../../services/train/edges.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { TWO_RINGS } from "./processes/train-process.ts";

/** What the command line would find in a process of its own, but for workers that are this code, and what it says. */
export function testEdges(
  said: { out: string; err: string },
  worker = "process.exit(78)",
  typed = "",
): Edges {
  return {
    out: { write: (text) => (said.out += text) },
    err: { write: (text) => (said.err += text) },
    isLive: false,
    input: () => Readable.from(typed === "" ? [] : [typed]),
    pid: process.pid,
    defaultConfig: TWO_RINGS,
    worker: () => [process.execPath, "--eval", worker],
    kernels: () => ({ kernels: wasmKernels({ megabytes: 8 }), found: {} }),
    now: () => performance.now(),
    date: () => new Date(0),
    nodeVersion: process.version,
    onSignal: () => () => undefined,
    onExit: () => () => undefined,
  };
}
