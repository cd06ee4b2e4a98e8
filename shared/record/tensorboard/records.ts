import { batchesOf } from "../curves/segments.ts";
import type { EventLine, MetricLine } from "../lines.ts";
import { crc32c } from "./crc32c.ts";

/**
 * TensorBoard's event files: each record is its length, a masked checksum of that, an Event (event.proto of TensorFlow) and
 * a masked checksum of it; the first one says the version.
 */
export function eventFileHead(at: number): Buffer {
  return framed(Buffer.concat([wallTime(at), bytesField(3, Buffer.from("brain.Event:2"))]));
}

/**
 * What a line of the record becomes; undefined where it has nothing for TensorBoard. Where a life goes on from a checkpoint, a
 * session starts, at which TensorBoard drops what older ones had said of its step and later ones.
 */
export function eventRecord(line: MetricLine | EventLine): Buffer | undefined {
  const step = stepOf(line);
  if (step === undefined) return undefined;
  if (line.kind === "event") return record(line.at, step, bytesField(7, varintField(1, 1)));
  const values = Object.entries(scalarsOf(line)).filter(([, value]) => value !== undefined);
  if (values.length === 0) return undefined;
  const summary = values.map(([tag, value]) =>
    bytesField(1, Buffer.concat([bytesField(1, Buffer.from(tag)), floatField(2, value!)])),
  );
  return record(line.at, step, bytesField(5, Buffer.concat(summary)));
}

/** The last batch that was learnt by then; where a session starts, the first that is learnt again. Undefined where it has none. */
export function stepOf(line: MetricLine | EventLine): number | undefined {
  if (line.kind === "event") return beginningOf(line);
  // After as many batches as the evaluation says: a session that goes on from just there must not drop it.
  return line.kind === "segment" ? line.last : Math.max(0, line.batch - 1);
}

/** The first step that is not to be believed any more. */
function beginningOf({ name, batch = -1, incarnation }: EventLine): number | undefined {
  if (name === "restored") return batch + 1;
  return name === "began" && incarnation > 1 ? 0 : undefined;
}

function scalarsOf(line: MetricLine): Readonly<{ [tag: string]: number | undefined }> {
  if (line.kind === "evaluation") {
    const { loss, error, exact } = line.test;
    return { "test/loss": loss, "test/accuracy": 1 - error, "test/exact": exact };
  }
  const { loss, generatorError, cosine, staleness, spanMs } = line;
  return {
    "training/loss": loss,
    "generator/error": generatorError,
    "generator/cosine": cosine,
    "delivery/staleness": staleness,
    "speed/batches per second": spanMs > 0 ? (1000 * batchesOf(line)) / spanMs : undefined,
  };
}

function record(at: number, step: number, what: Buffer): Buffer {
  return framed(Buffer.concat([wallTime(at), varintField(2, step), what]));
}

function framed(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, masked(length), data, masked(data)]);
}

// Turned and shifted, so that the checksum of what holds checksums is none of them (TFRecord).
function masked(bytes: Buffer): Buffer {
  const crc = crc32c(bytes);
  const value = Buffer.alloc(4);
  value.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return value;
}

function wallTime(at: number): Buffer {
  const seconds = Buffer.alloc(9);
  seconds[0] = (1 << 3) | 1;
  seconds.writeDoubleLE(at / 1000, 1);
  return seconds;
}

function bytesField(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function varintField(number: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([number << 3]), varint(value)]);
}

function floatField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = (number << 3) | 5;
  bytes.writeFloatLE(value, 1);
  return bytes;
}

/** `value`: a whole number from 0. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
