import { createHash } from "node:crypto";
import * as z from "zod";
import { cursorOf, fromRanges, type Range } from "./ledger.ts";
import { decode, encode, SafetensorsError } from "./safetensors.ts";

/** Everything a layer needs to go on from batch `cursor` + 1 as if it had never stopped. */
export interface Checkpoint {
  readonly run: string;
  readonly layer: number;
  readonly incarnation: number;
  /** Highest batch applied, −1 before the first; always where `ledger` ends. */
  readonly cursor: number;
  /** Batches of the whole run. */
  readonly batches: number;
  readonly configHash: string;
  /** The layer holds its last batch, and was told that it is the last. */
  readonly finished: boolean;
  readonly ledger: readonly Range[];
  /** Steps of the optimizers, restarts, random state: any finite numbers. */
  readonly counters: Readonly<Record<string, number>>;
  readonly tensors: Readonly<Record<string, Float32Array>>;
  /** Of those that are no vectors, rows first. None in files that are older than shapes. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Frames that the layer sent, by name, as they travelled: they may be asked for again. */
  readonly frames?: Readonly<Record<string, Uint8Array>>;
  readonly notes?: Readonly<Record<string, string>>;
}

/** A checkpoint that must not be written, or bytes that are not a whole one. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly reason: string;

  constructor(action: "read" | "write", reason: string) {
    super(`Cannot ${action} checkpoint: ${reason}`);
    this.reason = reason;
  }
}

/** A whole checkpoint, but of something else: another run, layer, configuration or version. */
export class CheckpointMismatch extends Error {
  override readonly name = "CheckpointMismatch";
}

const VERSION = "1";
// The digest stands at the same place in every file and version, so that it can be left out of its own sum.
const DIGEST_PREFIX = '{"__metadata__":{"digest":"';
const DIGEST_AT = 8 + DIGEST_PREFIX.length;
const NO_DIGEST = "0".repeat(64);

/**
 * A safetensors file, in `room` where it fits, else in memory of its own. Throws CheckpointError on anything non-finite (G5: a bad state, once
 * saved, soon replaces every good one) and when cursor and ledger disagree.
 */
export function encodeCheckpoint(checkpoint: Checkpoint, room?: Buffer): Buffer {
  const fault = faultIn(checkpoint);
  if (fault) throw new CheckpointError("write", fault);
  const { tensors, shapes = {}, frames = {} } = checkpoint;
  const bytes = encode({ tensors, metadata: metadataOf(checkpoint), shapes, bytes: frames }, room);
  bytes.write(digestOf(bytes), DIGEST_AT, "latin1");
  return bytes;
}

/**
 * Throws CheckpointError if a single bit is not as it was written, CheckpointMismatch if a later version wrote it.
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata, shapes, bytes: frames } = decodeFile(bytes);
  checkDigest(bytes, metadata.digest);
  if (metadata.version !== VERSION) {
    throw new CheckpointMismatch(
      `Cannot read checkpoint: its version is ${metadata.version}, this program reads ${VERSION}`,
    );
  }
  const shaped = Object.keys(shapes).length > 0 && { shapes };
  const sent = Object.keys(frames).length > 0 && { frames };
  const checkpoint = { ...readMetadata(metadata), tensors, ...shaped, ...sent };
  const fault = faultIn(checkpoint);
  if (fault) throw new CheckpointError("read", fault);
  return checkpoint;
}

/** The digest that these bytes of `encodeCheckpoint`, or such as decode, say of themselves. */
export function statedDigest(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(DIGEST_AT, DIGEST_AT + NO_DIGEST.length)).toString("latin1");
}

/** What a checkpoint must have been written for. */
export type Identity = Pick<Checkpoint, "run" | "layer" | "configHash">;

/** Throws CheckpointMismatch, naming both values, unless `checkpoint` is of the run, layer and configuration expected. */
export function requireIdentity(checkpoint: Checkpoint, expected: Identity): void {
  const words = { run: "run", layer: "layer", configHash: "configuration" } as const;
  for (const key of ["run", "layer", "configHash"] as const) {
    if (checkpoint[key] === expected[key]) continue;
    throw new CheckpointMismatch(
      `Cannot restore layer ${expected.layer}: its checkpoint is of ${words[key]} ${checkpoint[key]}, this is ${words[key]} ${expected[key]}`,
    );
  }
}

function metadataOf(checkpoint: Checkpoint): Record<string, string> {
  return {
    digest: NO_DIGEST,
    version: VERSION,
    run: checkpoint.run,
    layer: String(checkpoint.layer),
    incarnation: String(checkpoint.incarnation),
    cursor: String(checkpoint.cursor),
    batches: String(checkpoint.batches),
    configHash: checkpoint.configHash,
    finished: String(checkpoint.finished),
    ledger: JSON.stringify(checkpoint.ledger),
    counters: JSON.stringify(checkpoint.counters),
    ...(checkpoint.notes && { notes: JSON.stringify(checkpoint.notes) }),
  };
}

const whole = z
  .string()
  .regex(/^-?\d+$/)
  .transform(Number);
const json = z.string().transform((text): unknown => JSON.parse(text));

const Metadata = z.object({
  run: z.string(),
  layer: whole,
  incarnation: whole,
  cursor: whole,
  batches: whole,
  configHash: z.string(),
  finished: z.enum(["true", "false"]).transform((text) => text === "true"),
  ledger: json.transform((ranges) => fromRanges(ranges).ranges),
  counters: json.pipe(z.record(z.string(), z.number())),
  notes: json.pipe(z.record(z.string(), z.string())).optional(),
});

function readMetadata(metadata: Record<string, string>): Omit<Checkpoint, "tensors"> {
  try {
    const { notes, ...rest } = Metadata.parse(metadata);
    return { ...rest, ...(notes && { notes }) };
  } catch (error) {
    throw new CheckpointError("read", error instanceof Error ? error.message : String(error));
  }
}

function decodeFile(bytes: Uint8Array): ReturnType<typeof decode> {
  try {
    return decode(bytes);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new CheckpointError("read", error.reason);
  }
}

function checkDigest(bytes: Uint8Array, stated: string | undefined): void {
  const prefix = Buffer.from(bytes.subarray(8, DIGEST_AT)).toString("latin1");
  if (prefix !== DIGEST_PREFIX || stated?.length !== NO_DIGEST.length) {
    throw new CheckpointError("read", "its header does not begin with a digest");
  }
  const found = digestOf(bytes);
  if (found !== stated)
    throw new CheckpointError("read", `its digest is ${found}, its header says ${stated}`);
}

/** SHA-256 of the whole file with zeros where the digest stands. */
function digestOf(bytes: Uint8Array): string {
  return createHash("sha256")
    .update(bytes.subarray(0, DIGEST_AT))
    .update(NO_DIGEST)
    .update(bytes.subarray(DIGEST_AT + NO_DIGEST.length))
    .digest("hex");
}

function faultIn(checkpoint: Checkpoint): string | undefined {
  return faultInNumbers(checkpoint) ?? faultInCursor(checkpoint) ?? nonFiniteIn(checkpoint);
}

function faultInNumbers(checkpoint: Checkpoint): string | undefined {
  for (const key of ["layer", "incarnation", "batches"] as const) {
    const value = checkpoint[key];
    if (!Number.isSafeInteger(value) || value < 0) return `${key} is ${value}`;
  }
  return undefined;
}

function faultInCursor({ cursor, batches, ledger }: Checkpoint): string | undefined {
  if (!Number.isSafeInteger(cursor) || cursor < -1 || cursor >= batches) {
    return `cursor is ${cursor}, the run has ${batches} batches`;
  }
  const last = cursorOf({ ranges: ledger });
  return last === cursor ? undefined : `cursor is ${cursor}, its ledger ends at ${last}`;
}

function nonFiniteIn({ counters, tensors }: Checkpoint): string | undefined {
  for (const [name, value] of Object.entries(counters)) {
    if (!Number.isFinite(value)) return `counter ${name} is ${value}`;
  }
  for (const [name, tensor] of Object.entries(tensors)) {
    const at = firstNonFinite(tensor);
    if (at >= 0) return `tensor ${name} has ${tensor[at]} at ${at}`;
  }
  return undefined;
}

// Hundreds of thousands of floats pass here at each checkpoint, nearly always all finite: then one look at a sum is enough.
function firstNonFinite(tensor: Float32Array): number {
  return isAllFinite(tensor) ? -1 : tensor.findIndex((value) => !Number.isFinite(value));
}

/** What is finite gives 0 when it is multiplied by 0, what is not gives NaN. Four sums, since each waits for the addition before it. */
function isAllFinite(tensor: Float32Array): boolean {
  let [one, two, three, four] = [0, 0, 0, 0];
  const whole = tensor.length - (tensor.length % 4);
  for (let n = 0; n < whole; n += 4) {
    one += tensor[n]! * 0;
    two += tensor[n + 1]! * 0;
    three += tensor[n + 2]! * 0;
    four += tensor[n + 3]! * 0;
  }
  for (let n = whole; n < tensor.length; n++) one += tensor[n]! * 0;
  return one + two + three + four === 0;
}
