import { FrameError } from "./frame-error.ts";
import { MOST_LAYERS } from "./frames.ts";

/** Every key that any map of any frame may have. A key that is not here never reaches the decoder. */
const KEYS = [
  ..."kind protocol run from to incarnation instance configHash width dtype need nonce proof".split(" "),
  ..."batch evaluation part parts activation labels input shape scale scales data gradient".split(" "),
  ..."batches reports test layer applied restarts digest loss error exact snapshot kept saved".split(" "),
  ..."confusion bits rmse r2 question".split(" "),
].map((key) => Buffer.from(key));

const MAX_DEPTH = 6;
/** What is told of a layer at the end of a run is 8 values, and there are at most MOST_LAYERS of them. */
const MAX_VALUES = 16_384;
const MAX_ITEMS = MOST_LAYERS;
const MAX_ENTRIES = 64;
const MAX_STRING_BYTES = 256;

/** Bytes after the token of a number, nil or bool; NOT_SCALAR for every other token. */
const SCALAR_BYTES = new Int8Array(256);
const NOT_SCALAR = -1;
SCALAR_BYTES.fill(NOT_SCALAR, 0x80, 0xe0);
for (const token of [0xc0, 0xc2, 0xc3]) SCALAR_BYTES[token] = 0;
for (const token of [0xcc, 0xd0]) SCALAR_BYTES[token] = 1;
for (const token of [0xcd, 0xd1]) SCALAR_BYTES[token] = 2;
for (const token of [0xca, 0xce, 0xd2]) SCALAR_BYTES[token] = 4;
for (const token of [0xcb, 0xcf, 0xd3]) SCALAR_BYTES[token] = 8;

/** Numbers of the keys by a hash of their bytes; two keys with one hash would show at once, as the module loads. */
const KEY_NUMBERS = new Map(KEYS.map((key, number) => [hashKey(key, 0, key.length), number]));
if (KEY_NUMBERS.size !== KEYS.length) throw new Error("Cannot tell two frame keys apart by their hash");

// One scan at a time, and nothing in it waits: the state can live here and cost nothing.
let bytes: Uint8Array = new Uint8Array();
let position = 0;
let values = 0;
/** One row of flags for each depth: which keys the map at that depth has had. */
const seen = new Uint8Array((MAX_DEPTH + 1) * KEYS.length);

/**
 * Reads the bytes of one frame without building anything, and throws a FrameError unless they are exactly one
 * MessagePack value of the plain kinds this protocol uses, small in every count. It stands before the decoder because
 * a general decoder turns bytes into memory (16 MB of empty maps end a process with a 512 MB heap), and builds regular
 * expressions, big integers and records from extensions. What passes is at most 16,384 values, some 2 MB of memory.
 */
export function scan(frame: Uint8Array): void {
  bytes = frame;
  position = 0;
  values = 0;
  scanValue(0);
  if (position !== frame.length) refuse(`${frame.length - position} bytes follow its end`);
}

function scanValue(depth: number): void {
  if (depth > MAX_DEPTH) refuse(`it nests deeper than ${MAX_DEPTH}`);
  if (++values > MAX_VALUES) refuse(`it has more than ${MAX_VALUES} values`);
  const token = takeLength(1);
  const scalarBytes = SCALAR_BYTES[token]!;
  if (scalarBytes !== NOT_SCALAR) skip(scalarBytes);
  else if (token <= 0x8f) scanMap(token & 0x0f, depth);
  else if (token <= 0x9f) scanArray(token & 0x0f, depth);
  else if (token <= 0xbf) skip(token & 0x1f);
  else scanSized(token, depth);
}

/** The tokens that a length follows. Extensions, and arrays, maps and strings of 32-bit length, are not among them. */
function scanSized(token: number, depth: number): void {
  if (token === 0xc4) skip(takeLength(1));
  else if (token === 0xc5) skip(takeLength(2));
  else if (token === 0xc6) skip(takeLength(4));
  else if (token === 0xd9) skipString(takeLength(1));
  else if (token === 0xda) skipString(takeLength(2));
  else if (token === 0xdc) scanArray(takeLength(2), depth);
  else if (token === 0xde) scanMap(takeLength(2), depth);
  else refuse(`byte ${position - 1} is 0x${token.toString(16)}, a type that no frame has`);
}

function scanArray(items: number, depth: number): void {
  if (items > MAX_ITEMS) refuse(`an array has ${items} items, at most ${MAX_ITEMS} are allowed`);
  for (let item = 0; item < items; item++) scanValue(depth + 1);
}

function scanMap(entries: number, depth: number): void {
  if (entries > MAX_ENTRIES) refuse(`a map has ${entries} entries, at most ${MAX_ENTRIES} are allowed`);
  const row = depth * KEYS.length;
  seen.fill(0, row, row + KEYS.length);
  for (let entry = 0; entry < entries; entry++) {
    const key = scanKey();
    if (seen[row + key] === 1) refuse(`key "${KEYS[key]}" comes twice`);
    seen[row + key] = 1;
    scanValue(depth + 1);
  }
}

function scanKey(): number {
  const token = takeLength(1);
  if (token < 0xa0 || token > 0xbf) refuse(`byte ${position - 1} is not a key of at most 31 bytes`);
  const start = position;
  skip(token & 0x1f);
  const number = KEY_NUMBERS.get(hashKey(bytes, start, position));
  if (number === undefined || !isKey(KEYS[number]!, start)) refuse(`byte ${start} begins an unknown key`);
  return number;
}

function isKey(key: Buffer, start: number): boolean {
  if (key.length !== position - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

/** FNV-1a, 32 bits. */
function hashKey(from: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ from[i]!, 0x01000193);
  return hash;
}

function skipString(length: number): void {
  if (length > MAX_STRING_BYTES)
    refuse(`a string has ${length} bytes, at most ${MAX_STRING_BYTES} are allowed`);
  skip(length);
}

function skip(length: number): void {
  position += length;
  if (position > bytes.length) refuse(`it ends ${position - bytes.length} bytes too early`);
}

/** The next `size` bytes as an unsigned big-endian integer. */
function takeLength(size: 1 | 2 | 4): number {
  const start = position;
  skip(size);
  let length = 0;
  for (let i = start; i < position; i++) length = length * 256 + bytes[i]!;
  return length;
}

function refuse(why: string): never {
  throw new FrameError(`Cannot read frame: ${why}`);
}
