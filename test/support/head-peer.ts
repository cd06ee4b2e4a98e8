import { configHash } from "../../shared/config/hash.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import type { ActivationFrame } from "../../shared/wire/frames.ts";
import { countingTensor, hello } from "./frames.ts";
import type { DirectRun } from "./processes/direct-run.ts";
import type { Worker } from "./processes/worker-process.ts";
import { RawPeer } from "./raw-peer.ts";
import { prove } from "./secrets/prove.ts";

/** What a test says to the head of two rings, as its predecessor, layer 2, would. */
export const ROWS = 64;

/** `fifth`: in place of the value with that index. */
export function ringsActivation(batch: number, width = 4, fifth?: number): ActivationFrame {
  const tensor = countingTensor(ROWS, width);
  if (fifth !== undefined) new DataView(tensor.data.buffer).setFloat32(5 * 4, fifth, true);
  const classes = Uint8Array.from({ length: ROWS }, (_, row) => (row + batch) % 2);
  return {
    kind: "activation",
    batch,
    activation: tensor,
    labels: { dtype: "u8", shape: [ROWS, 1], data: classes },
  };
}

/** Of layer 2 of this run, in its first life: a real one must be in a later. */
export function ringsHello({ config, set, run }: DirectRun) {
  const hash = configHash(loadConfig(config, set).config);
  return { ...hello, run, from: 2, to: 3, incarnation: 1, instance: "intruder", configHash: hash };
}

/** Linked as layer 2 to a head that needs batch `need`. */
export async function greetHead(port: number, run: DirectRun, need: number): Promise<RawPeer> {
  const peer = await RawPeer.dial(port);
  peer.send(prove(ringsHello(run), peer.challenge.nonce, run.secret));
  const { kind, from, need: needed } = await peer.next();
  if (kind === "welcome" && from === 3 && needed === need) return peer;
  throw new Error(`Cannot greet the head: it says ${kind} and needs ${needed}, expected ${need}`);
}

/** Batches one after the other, each answered with its gradient. */
export async function teachHead(port: number, run: DirectRun, batches: readonly number[]): Promise<void> {
  const peer = await greetHead(port, run, batches[0]!);
  for (const batch of batches) {
    peer.send(ringsActivation(batch));
    const answer = await peer.next();
    if (answer.kind !== "gradient" || answer.batch !== batch || answer.gradient === undefined)
      throw new Error(`Cannot teach batch ${batch}: the answer is ${JSON.stringify(answer)}`);
  }
  peer.socket.close();
  await peer.closed;
}

/** A head of its own, which keeps what must outlive it in `state`. */
export async function startHead(run: DirectRun, state: string): Promise<{ worker: Worker; port: number }> {
  const worker = run.launch("layer3", { state });
  return { worker, port: await worker.port() };
}
