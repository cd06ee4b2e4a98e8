import { Packr, pack } from "msgpackr";
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../shared/wire/codec.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { activation, hello, welcome } from "../support/frames.ts";
import { seeded } from "../support/seeded.ts";

const limits = { maxFrameBytes: 64 << 20 };

function bytes(...parts: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "hex") : part)));
}

/** A map of one entry whose value is under test: only the value can be at fault. */
function inMap(...value: (string | Uint8Array)[]): Buffer {
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

const corpus: [string, Buffer, string][] = [
  ["nothing", Buffer.alloc(0), "it ends 1 bytes too early"],
  ["72 KB of nested 16-bit arrays", nestedArray16(), "65535 items"],
  ["10,000 nested arrays", nested(10_000), "nests deeper than 6"],
  ["16 MB of empty maps in one array", bytes("dd", uint32(16 << 20), Buffer.alloc(16 << 20, 0x80)), "0xdd"],
  [
    "64 arrays of 64 arrays",
    inMap("dc0040", bytes("dc0040", Buffer.alloc(64, 0x90)).toString("hex").repeat(64)),
    "more than 512 values",
  ],
  ["a 32-bit map", bytes("df", uint32(1), "a0c0"), "0xdf"],
  ["a 32-bit string", inMap("db", uint32(4), "61616161"), "0xdb"],
  ["a declared length of 2^32 − 1", inMap("c6ffffffff"), "too early"],
  ["a string of 257 bytes", inMap("da0101", Buffer.alloc(257, 0x61)), "a string has 257 bytes"],
  ["a regular expression", inMap("c70578", "92a2612ba0"), "0xc7"],
  ["a big integer of 4 MB", inMap("c9", uint32(4 << 20), "42", Buffer.alloc(4 << 20, 0x7f)), "0xc9"],
  ["an error object", inMap(new Packr({ moreTypes: true }).pack(new Error("x"))), "a type that no frame has"],
  ["a typed array as an extension", inMap(new Packr({ moreTypes: true }).pack(new Float32Array(4))), "0xc7"],
  ["a date", inMap(pack(new Date(0))), "0xd6"],
  ["a record", inMap("d47240", "91a161", "01"), "0xd4"],
  ["undefined, as an extension", inMap("d40000"), "0xd4"],
  ["the reserved byte", inMap("c1"), "0xc1"],
  ["__proto__ as a key", bytes("81a9", Buffer.from("__proto__"), "80"), "unknown key"],
  ["constructor as a key", bytes("81ab", Buffer.from("constructor"), "c0"), "unknown key"],
  ["a number as a key", bytes("8101c0"), "is not a key"],
  ["a map as a key", bytes("8180c0"), "is not a key"],
  ["a key of 32 bytes", bytes("81d920", Buffer.alloc(32, 0x61), "c0"), "is not a key"],
  ["a key that comes twice", bytes("82a46e65656401a46e65656402"), 'key "need" comes twice'],
  [
    "a key that comes twice, around a map that has it too",
    bytes("82a46e65656481a46e65656401a46e65656402"),
    'key "need" comes twice',
  ],
  ["two values", bytes("8080"), "1 bytes follow its end"],
  ["a bare number", bytes("2a"), "it is 42, expected a map"],
];

describe("the hostile corpus:", () => {
  test.each(corpus)("%s is refused", (_, frame, reason) => {
    expect(() => decode(frame, limits)).toThrow(FrameError);
    expect(() => decode(frame, limits)).toThrow(reason);
  });

  test("every truncation of a valid frame is refused", () => {
    const whole = encode(activation(5));
    expect(decode(whole, limits).kind).toBe("activation");
    for (let length = 0; length < whole.length; length++) {
      expect(() => decode(whole.subarray(0, length), limits), `${length} bytes`).toThrow(FrameError);
    }
  });

  test("the limits of the scan themselves are allowed", () => {
    const longest = pack({ kind: "finished", reports: Array.from({ length: 64 }, () => null) });
    expect(() => decode(longest, limits)).toThrow("finished.reports[0]: it is null");
    const deepest = inMap("9191919191c0");
    expect(() => decode(deepest, limits)).toThrow("kind is [a list]");
    expect(() => decode(inMap("919191919191c0"), limits)).toThrow("nests deeper");
  });
});

/** 1 to 4 changes: a byte replaced, a bit flipped, a run cut out, doubled or taken from another frame. */
function mutate(frame: Buffer, others: readonly Buffer[], random: () => number): Buffer {
  const below = (bound: number) => Math.floor(random() * bound);
  let mutant: Buffer = Buffer.from(frame);
  for (let changes = 1 + below(4); changes > 0 && mutant.length > 0; changes--) {
    const at = below(mutant.length);
    const end = Math.min(mutant.length, at + 1 + below(8));
    const other = others[below(others.length)]!;
    const choice = below(6);
    if (choice <= 1) mutant[at] = below(256);
    else if (choice === 2) mutant[at]! ^= 1 << below(8);
    else if (choice === 3) mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(end)]);
    else if (choice === 4) mutant = Buffer.concat([mutant.subarray(0, end), mutant.subarray(at)]);
    else mutant = Buffer.concat([mutant.subarray(0, at), other.subarray(below(other.length))]);
  }
  return mutant;
}

function outcome(frame: Buffer): "taken" | "refused" {
  try {
    const decoded = decode(frame, limits);
    // What was taken must be a frame indeed: its own encoding decodes again.
    decode(encode(decoded), limits);
    return "taken";
  } catch (error) {
    if (error instanceof FrameError && !/[\r\n]/.test(error.message)) return "refused";
    throw new Error(`Cannot survive ${frame.toString("hex")}`, { cause: error });
  }
}

test("50,000 mutants of valid frames are taken or refused, and nothing else happens", () => {
  const random = seeded(20_170_321);
  const report = { layer: 1, applied: [[0, 9] as const], restarts: 0, digest: "0f".repeat(32) };
  const seeds = [
    encode(hello),
    encode(welcome),
    encode(activation(3)),
    encode({ ...activation(4), evaluation: { part: 0, parts: 2 } }),
    encode({ kind: "finished", reports: [report], test: { loss: 1, error: 0.5 } }),
    encode({ kind: "rewind", need: 70_000 }),
  ];
  const counts = { taken: 0, refused: 0 };
  for (let round = 0; round < 50_000; round++) {
    counts[outcome(mutate(seeds[round % seeds.length]!, seeds, random))]++;
  }
  // The control: mutants that are still frames (another batch, other values) show that not everything is refused.
  expect(counts.taken).toBeGreaterThan(1_000);
  expect(counts.refused).toBeGreaterThan(20_000);
});

test("random bytes are refused", () => {
  const random = seeded(7);
  for (let round = 0; round < 5_000; round++) {
    const noise = Buffer.from(Array.from({ length: round % 64 }, () => Math.floor(random() * 256)));
    expect(outcome(noise)).toBe("refused");
  }
});
