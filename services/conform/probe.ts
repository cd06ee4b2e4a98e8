import { randomBytes } from "node:crypto";
import type { Bench } from "./bench.ts";
import type { Fields, Tensor } from "./frame.ts";
import { Broken } from "./peer.ts";

/** Always the same held-out data. */
const SALT = 7;

/**
 * What a worker makes of the same held-out data at its present weights, as a text: another one after any change of them.
 * The answer to a batch that came before does not show that, as it may be the one of then.
 */
export async function probe(bench: Bench): Promise<string> {
  const batch = bench.cursor + 1;
  const item = bench.activation(batch, { salt: SALT, change: { evaluation: { part: 0, parts: 1 } } });
  bench.before.send(item);
  await bench.untaught(item);
  if (bench.subject.isHead) return judged(bench, batch);
  const { data, scales } = (await bench.forwarded(item)).activation as Tensor;
  bench.reply(item);
  await bench.after.hasRead();
  return Buffer.concat([data, scales ?? Buffer.alloc(0)]).toString("hex");
}

/** A head shows what it made of it where a snapshot is taken. */
async function judged(bench: Bench, batch: number): Promise<string> {
  const snapshot = `${String(batch).padStart(9, "0")}-${randomBytes(4).toString("hex")}`;
  const barrier = { kind: "barrier", batch, snapshot, kept: [] };
  bench.before.send(barrier);
  await bench.untaught(barrier);
  const { test } = (await bench.before.next("snapshot", 10_000)) as { test?: Fields };
  if (test === undefined) throw new Broken("expected the test result with the snapshot, got none");
  return JSON.stringify(test);
}
