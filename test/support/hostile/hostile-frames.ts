import { Packr, pack } from "msgpackr";

function bytes(...parts: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "hex") : part)));
}

/** A map of one entry whose value is under test: only the value can be at fault. */
export function inMap(...value: (string | Uint8Array)[]): Buffer {
  return bytes("81a46b696e64", ...value);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function nested(levels: number): Buffer {
  return bytes(Buffer.alloc(levels, 0x91), "c0");
}

/** 16-bit arrays of nothing, each the first item of the one around it: small to send, large to build. */
function nestedArray16(): Buffer {
  return Buffer.concat(Array.from({ length: 24_000 }, () => Buffer.from("dcffff", "hex")));
}

/** An end, up to its number of batches. */
const frameOfBatch = bytes("82a46b696e64a3", Buffer.from("end"), "a7", Buffer.from("batches"));

/** What no frame looks like, and what is said of it. */
export const hostileFrames: readonly (readonly [name: string, frame: Buffer, reason: string])[] = [
  ["nothing", Buffer.alloc(0), "it ends 1 bytes too early"],
  ["72 KB of nested 16-bit arrays", nestedArray16(), "65535 items"],
  ["10,000 nested arrays", nested(10_000), "nests deeper than 6"],
  ["a million nested arrays", nested(1_000_000), "nests deeper than 6"],
  ["an array that says it has 20 million items", bytes("dd", uint32(20_000_000)), "0xdd"],
  ["16 MB of empty maps in one array", bytes("dd", uint32(16 << 20), Buffer.alloc(16 << 20, 0x80)), "0xdd"],
  [
    "64 arrays of 256 arrays",
    inMap("dc0040", bytes("dc0100", Buffer.alloc(256, 0x90)).toString("hex").repeat(64)),
    "more than 16384 values",
  ],
  ["a 32-bit map", bytes("df", uint32(1), "a0c0"), "0xdf"],
  ["a 32-bit string", inMap("db", uint32(4), "61616161"), "0xdb"],
  ["a declared length of 2^32 − 1", inMap("c6ffffffff"), "too early"],
  ["a string of 257 bytes", inMap("da0101", Buffer.alloc(257, 0x61)), "a string has 257 bytes"],
  ["a regular expression", inMap("c70578", "92a2612ba0"), "0xc7"],
  ["a big integer of 4 MB", inMap("c9", uint32(4 << 20), "42", Buffer.alloc(4 << 20, 0x7f)), "0xc9"],
  ["an error object", inMap(new Packr({ moreTypes: true }).pack(new Error("x"))), "a type that no frame has"],
  ["a typed array as an extension", inMap(new Packr({ moreTypes: true }).pack(new Float32Array(4))), "0xc7"],
  ["a set", inMap(new Packr({ moreTypes: true }).pack(new Set([1]))), "0xd4"],
  ["a reference as a key: an endless loop to older decoders", bytes("81d67000000001c0"), "is not a key"],
  ["a value by name, as an extension", inMap("d66900000001", "80"), "0xd6"],
  ["a date", inMap(pack(new Date(0))), "0xd6"],
  ["a record", inMap("d47240", "91a161", "01"), "0xd4"],
  ["undefined, as an extension", inMap("d40000"), "0xd4"],
  ["the reserved byte", inMap("c1"), "0xc1"],
  ["__proto__ as a key", bytes("81a9", Buffer.from("__proto__"), "80"), "unknown key"],
  ["constructor as a key", bytes("81ab", Buffer.from("constructor"), "c0"), "unknown key"],
  ["toString as a key", bytes("81a8", Buffer.from("toString"), "c0"), "unknown key"],
  ["a number as a key", bytes("8101c0"), "is not a key"],
  ["a map as a key", bytes("8180c0"), "is not a key"],
  ["a key of 32 bytes", bytes("81d920", Buffer.alloc(32, 0x61), "c0"), "is not a key"],
  ["a key that comes twice", bytes("82a46e65656401a46e65656402"), 'key "need" comes twice'],
  [
    "a key that comes twice, around a map that has it too",
    bytes("82a46e65656481a46e65656401a46e65656402"),
    'key "need" comes twice',
  ],
  ["a batch of 2^63", bytes(frameOfBatch, "cf8000000000000000"), "batches is 9223372036854776000"],
  [
    "a batch beyond what a number holds exactly",
    bytes(frameOfBatch, "cf0020000000000001"),
    "batches is 900719925474099",
  ],
  ["a batch that is no number", bytes(frameOfBatch, "cb7ff8000000000000"), "batches is NaN"],
  ["an endless batch", bytes(frameOfBatch, "ca7f800000"), "batches is Infinity"],
  ["two values", bytes("8080"), "1 bytes follow its end"],
  ["a bare number", bytes("2a"), "it is 42, expected a map"],
];
