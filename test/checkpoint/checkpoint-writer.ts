/**
 * A process that does nothing but save checkpoints, to be killed at it. Arguments: folder, floats, how many to write.
 * Says "ready", waits for a line, then says of each "durable <incarnation> <cursor>" or "failed <why>".
 */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import { CheckpointStore } from "../../shared/checkpoint/store.ts";
import { filled, sampleCheckpoint } from "./sample-checkpoint.ts";

const [folder, floats, count] = process.argv.slice(2) as [string, string, string];
// Written before the call returns: a report must not be lost with the process.
const say = (line: string) => writeSync(1, `${line}\n`);

const incarnation = await claimIncarnation(folder);
const store = new CheckpointStore(folder);
const { restored } = await store.loadNewest(sampleCheckpoint());
let cursor = restored?.checkpoint.cursor ?? -1;

say("ready");
await once(process.stdin, "data");
for (let written = 0; written < Number(count); written++) {
  cursor += 10;
  const tensors = { "layer.weights": filled(Number(floats), cursor) };
  await store.write(sampleCheckpoint({ incarnation, cursor, tensors })).then(
    () => say(`durable ${incarnation} ${cursor}`),
    (error: Error) => say(`failed ${error.message}`),
  );
}
process.exit(0);
