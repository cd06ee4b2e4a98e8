/**
 * The safetensors container, version 1, for F32, and for vectors of U8: u64 LE header length, JSON header, raw
 * little-endian data. Reading is strict: bytes that two readers could understand in two ways are refused.
 */

interface TensorFile {
  readonly tensors: Readonly<Record<string, Float32Array>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of those tensors that are no vectors, rows first. */
  readonly shapes: Readonly<Record<string, TensorShape>>;
  /** Vectors of U8; no tensor has the same name. */
  readonly bytes: Readonly<Record<string, Uint8Array>>;
}

type TensorShape = readonly number[];

/** Bytes that are not a safetensors file this reader takes, or names it cannot write. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
  readonly reason: string;

  constructor(action: "read" | "write", reason: string) {
    super(`Cannot ${action} safetensors: ${reason}`);
    this.reason = reason;
  }
}

export const MAX_HEADER_BYTES = 16 * 1024 * 1024;

const LENGTH_BYTES = 8;
const ITEM_BYTES = { F32: 4, U8: 1 } as const;
const METADATA = "__metadata__";

/**
 * One buffer, sharing no memory with what is in it: the beginning of `room` where that is large enough, else a new one. Floats
 * lie before bytes, which would leave them unaligned, each in order of names: so equal tensors and metadata give equal
 * bytes. The header opens with the metadata, its keys in the order given. Throws a SafetensorsError where a tensor has not as many floats as its shape.
 */
export function encode(
  {
    tensors,
    metadata,
    shapes = {},
    bytes = {},
  }: Pick<TensorFile, "tensors" | "metadata"> & Partial<TensorFile>,
  room?: Buffer,
): Buffer {
  const named = [
    ...byName(tensors).map(([name, tensor]) => floatEntry(name, tensor, shapes)),
    ...byName(bytes).map(([name, data]) => byteEntry(name, data)),
  ];
  const header = headerOf(named, metadata);
  const dataBytes = named.reduce((sum, { data }) => sum + data.length, 0);
  const length = LENGTH_BYTES + header.length + dataBytes;
  const file = room && room.length >= length ? room.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  file.writeBigUInt64LE(BigInt(header.length));
  header.copy(file, LENGTH_BYTES);
  let at = LENGTH_BYTES + header.length;
  for (const { data } of named) {
    file.set(data, at);
    at += data.length;
  }
  return file;
}

/** Copies every tensor out of `bytes`, which may lie at any offset of its buffer. Throws SafetensorsError. */
export function decode(bytes: Uint8Array): TensorFile {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dataAt = LENGTH_BYTES + readHeaderLength(buffer);
  const { [METADATA]: metadata = {}, ...entries } = readHeader(buffer.subarray(LENGTH_BYTES, dataAt));
  const spans = Object.entries(entries).map(([name, entry]) => readSpan(name, entry));
  checkSpans(spans, buffer.length - dataAt);
  // fromEntries, not assignment: a tensor may be called "__proto__".
  const copied = spans.map((span) => ({ ...span, data: copyOf(buffer, dataAt, span) }));
  const floats = copied.filter(({ dtype }) => dtype === "F32");
  return {
    tensors: Object.fromEntries(floats.map(({ name, data }) => [name, new Float32Array(data.buffer)])),
    metadata: readMetadata(metadata),
    shapes: Object.fromEntries(
      floats.flatMap(({ name, shape }) => (shape.length === 1 ? [] : [[name, shape]])),
    ),
    bytes: Object.fromEntries(
      copied.flatMap(({ name, dtype, data }) => (dtype === "U8" ? [[name, data]] : [])),
    ),
  };
}

/** What stands in the header of a tensor, and its data. */
interface Entry {
  readonly name: string;
  readonly dtype: keyof typeof ITEM_BYTES;
  readonly shape: TensorShape;
  readonly data: Uint8Array;
}

function floatEntry(name: string, tensor: Float32Array, shapes: TensorFile["shapes"]): Entry {
  const shape = (Object.hasOwn(shapes, name) && shapes[name]) || [tensor.length];
  if (sizeOf(shape) !== tensor.length)
    throw new SafetensorsError(
      "write",
      `tensor ${quote(name)} of shape ${quote(shape)} has ${tensor.length} floats`,
    );
  const data = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength);
  return { name, dtype: "F32", shape, data };
}

function byteEntry(name: string, data: Uint8Array): Entry {
  return { name, dtype: "U8", shape: [data.length], data };
}

function byName<Value>(named: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}

// JSON.stringify of one object would move keys like "7" to the front, before the metadata.
function headerOf(named: readonly Entry[], metadata: TensorFile["metadata"]): Buffer {
  const fields = [`${JSON.stringify(METADATA)}:${JSON.stringify(metadata)}`];
  let begin = 0;
  for (const { name, dtype, shape, data } of named) {
    if (name === METADATA) throw new SafetensorsError("write", `a tensor is called ${METADATA}`);
    const end = begin + data.length;
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    begin = end;
  }
  return padded(`{${fields.join(",")}}`);
}

function padded(json: string): Buffer {
  const length = Buffer.byteLength(json);
  const header = Buffer.alloc(Math.ceil(length / 8) * 8, " ");
  if (header.length > MAX_HEADER_BYTES) {
    throw new SafetensorsError("write", `header is ${header.length} bytes, more than ${MAX_HEADER_BYTES}`);
  }
  header.write(json);
  return header;
}

function readHeaderLength(buffer: Buffer): number {
  if (buffer.length < LENGTH_BYTES) throw unreadable(`file is ${buffer.length} bytes, too few for a length`);
  const length = buffer.readBigUInt64LE();
  if (length > BigInt(MAX_HEADER_BYTES))
    throw unreadable(`header is ${length} bytes, more than ${MAX_HEADER_BYTES}`);
  if (length > BigInt(buffer.length - LENGTH_BYTES)) {
    throw unreadable(`header is ${length} bytes, file has ${buffer.length - LENGTH_BYTES} after the length`);
  }
  return Number(length);
}

function readHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw unreadable("header is not JSON in UTF-8");
  }
  if (!isRecord(header)) throw unreadable("header is not a JSON object");
  return header;
}

function readMetadata(metadata: unknown): Record<string, string> {
  if (!isRecord(metadata)) throw unreadable(`${METADATA} is not an object`);
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => {
      if (typeof value !== "string") throw unreadable(`${METADATA} ${quote(key)} is not a string`);
      return [key, value];
    }),
  );
}

/** Where a tensor lies: bytes from the beginning of the data, `end` excluded. */
interface Span extends Omit<Entry, "data"> {
  readonly begin: number;
  readonly end: number;
}

function readSpan(name: string, entry: unknown): Span {
  if (!isRecord(entry)) throw unreadable(`tensor ${quote(name)} is not described by an object`);
  const { dtype, shape, data_offsets: offsets, ...rest } = entry;
  const stranger = Object.keys(rest)[0];
  if (stranger !== undefined)
    throw unreadable(`tensor ${quote(name)} has an unknown field ${quote(stranger)}`);
  if (dtype !== "F32" && dtype !== "U8")
    throw unreadable(`tensor ${quote(name)} has dtype ${quote(dtype)}, only F32 and U8 are read`);
  if (!isCounts(shape) || (dtype === "U8" && shape.length !== 1))
    throw unreadable(`tensor ${quote(name)} has shape ${quote(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw unreadable(`tensor ${quote(name)} has data_offsets ${quote(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const size = ITEM_BYTES[dtype] * sizeOf(shape);
  if (end - begin !== size) {
    throw unreadable(
      `tensor ${quote(name)} of shape ${quote(shape)} takes ${size} bytes, got ${quote(offsets)}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors must tile the data: no hole, no overlap, nothing after the last. */
function checkSpans(spans: readonly Span[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of [...spans].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw unreadable(`tensor ${quote(name)} begins at ${begin}, expected ${at}`);
    at = end;
  }
  if (at !== dataBytes) throw unreadable(`data is ${dataBytes} bytes, header describes ${at}`);
}

function sizeOf(shape: TensorShape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** In memory of its own, where floats may lie, too. */
function copyOf(buffer: Buffer, dataAt: number, { begin, end }: Span): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(end - begin);
  buffer.copy(data, 0, dataAt + begin, dataAt + end);
  return data;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function quote(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? "nothing";
}

function unreadable(reason: string): SafetensorsError {
  return new SafetensorsError("read", reason);
}
