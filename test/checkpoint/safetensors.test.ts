import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode, MAX_HEADER_BYTES, SafetensorsError } from "../../shared/checkpoint/safetensors.ts";

// safetensors 0.8.0, the reference implementation, wrote this: a = [1, 2, 3], b = [[1, −2], [0.5, 3e-45]].
const BY_THE_REFERENCE =
  "mAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJ3aG8iOiJsaWJyYXJ5In0sImEiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlswLDEyXX0sImIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsMl0sImRhdGFfb2Zmc2V0cyI6WzEyLDI4XX19ICAgICAgIAAAgD8AAABAAABAQAAAgD8AAADAAAAAPwIAAAA=";

/** A file put together by hand: whatever header, whatever data. */
function file(header: unknown, data: Uint8Array = new Uint8Array(0)): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const one = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
const fourBytes = new Uint8Array(4);

test("reads what the reference implementation wrote", () => {
  const { tensors, metadata, shapes } = decode(Buffer.from(BY_THE_REFERENCE, "base64"));
  expect(tensors).toEqual({ a: Float32Array.of(1, 2, 3), b: Float32Array.of(1, -2, 0.5, 3e-45) });
  expect(metadata).toEqual({ who: "library" });
  expect(shapes).toEqual({ b: [2, 2] });
});

test("writes length, padded header and little-endian data", () => {
  const bytes = encode({
    tensors: { b: Float32Array.of(-2), a: Float32Array.of(1, 0) },
    metadata: { who: "me" },
  });
  const header =
    '{"__metadata__":{"who":"me"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}';
  const expected = file(header.padEnd(136), Buffer.from("0000803f00000000000000c0", "hex"));
  expect(bytes.toString("latin1")).toBe(expected.toString("latin1"));
});

test("writes tensors in their shapes, as the reference implementation does", () => {
  const read = decode(Buffer.from(BY_THE_REFERENCE, "base64"));
  expect(encode(read).toString("base64")).toBe(BY_THE_REFERENCE);
  expect(() => encode({ ...read, shapes: { b: [2, 3] } })).toThrow('"b" of shape [2,3] has 4 floats');
});

test("every tensor and every word comes back, bit for bit, whatever they are called", () => {
  const name = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "7", "constructor", ""));
  const strings = fc.dictionary(name, fc.string({ unit: "binary" }));
  const values = fc.oneof(fc.float32Array(), fc.uint8Array());
  fc.assert(
    fc.property(fc.array(fc.tuple(name, values)), strings, (entries, metadata) => {
      const unique = Object.entries(Object.fromEntries(entries));
      const tensors = Object.fromEntries(unique.filter(([, each]) => each instanceof Float32Array));
      const bytes = Object.fromEntries(unique.filter(([, each]) => each instanceof Uint8Array));
      const back = decode(encode({ tensors, metadata, bytes } as Parameters<typeof encode>[0]));
      expect(hex(back.tensors)).toEqual(hex(tensors));
      expect(hex(back.bytes)).toEqual(hex(bytes));
      expect(Object.entries(back.metadata).sort()).toEqual(Object.entries(metadata).sort());
    }),
  );
});

function hex(named: Readonly<Record<string, Float32Array | Uint8Array>>): [string, string][] {
  return Object.entries(named)
    .map(([name, { buffer }]): [string, string] => [name, Buffer.from(buffer).toString("hex")])
    .sort();
}

test("equal tensors give equal bytes in whatever order they were named", () => {
  const [a, b] = [Float32Array.of(1), Float32Array.of(2)];
  const fileOf = (tensors: Record<string, Float32Array>) => encode({ tensors, metadata: {} });
  expect(fileOf({ a, b })).toEqual(fileOf({ b, a }));
  expect(fileOf({ a: b, b: a })).not.toEqual(fileOf({ a, b }));
});

test("data begins at a multiple of 8 bytes, for every length of header", () => {
  for (let length = 0; length < 16; length++) {
    expect(encode({ tensors: {}, metadata: { key: "x".repeat(length) } }).length % 8).toBe(0);
  }
});

test("floats lie before bytes, at multiples of 4", () => {
  const bytes = { a: Uint8Array.of(1, 2, 3), z: Uint8Array.of(4) };
  const file = encode({ tensors: { m: Float32Array.of(1), b: Float32Array.of(2) }, metadata: {}, bytes });
  const headerEnd = 8 + Number(file.readBigUInt64LE());
  expect(file.subarray(headerEnd).toString("hex")).toBe("000000400000803f01020304");
});

test("copies: neither the state encoded nor the bytes decoded can change the other later", () => {
  const live = Float32Array.of(1, 2);
  const bytes = encode({ tensors: { live }, metadata: {} });
  live.fill(9);
  const { tensors } = decode(bytes);
  bytes.fill(0);
  expect(tensors).toEqual({ live: Float32Array.of(1, 2) });
});

test("takes a part of a larger array, at any offset", () => {
  const part = new Float32Array([7, 8, 9, 10]).subarray(1, 3);
  const bytes = encode({ tensors: { part }, metadata: {} });
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  expect(decode(shifted.subarray(3)).tensors).toEqual({ part: Float32Array.of(8, 9) });
});

test("does not write a tensor called like the metadata", () => {
  expect(() => encode({ tensors: { __metadata__: Float32Array.of(1) }, metadata: {} })).toThrow(
    SafetensorsError,
  );
});

describe("refuses", () => {
  const huge = Buffer.alloc(8);
  huge.writeBigUInt64LE(BigInt(MAX_HEADER_BYTES + 1));
  const metadata = (value: unknown) => file({ __metadata__: value });

  test.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "file is 0 bytes, too few for a length"],
    ["half a length", new Uint8Array(7), "file is 7 bytes, too few for a length"],
    [
      "a header beyond the cap",
      Buffer.concat([huge, Buffer.alloc(64)]),
      "header is 16777217 bytes, more than 16777216",
    ],
    [
      "a length beyond all numbers",
      Buffer.alloc(64, 0xff),
      "header is 18446744073709551615 bytes, more than 16777216",
    ],
    [
      "a header beyond the file",
      file("{}   ").subarray(0, 12),
      "header is 5 bytes, file has 4 after the length",
    ],
    ["a header that is not JSON", file("{a:1}"), "header is not JSON in UTF-8"],
    [
      "a header that is not UTF-8",
      Buffer.concat([file('{"a').subarray(0, 11), Buffer.from([0xff])]),
      "header is not JSON",
    ],
    ["a header that is a list", file([]), "header is not a JSON object"],
    ["metadata that is a list", metadata([]), "__metadata__ is not an object"],
    ["metadata that is not all strings", metadata({ step: 3 }), '__metadata__ "step" is not a string'],
    ["a tensor that is a number", file({ a: 1 }), 'tensor "a" is not described by an object'],
    [
      "an unknown dtype",
      file({ a: { ...one, dtype: "F16" } }, fourBytes),
      'tensor "a" has dtype "F16", only F32 and U8 are read',
    ],
    [
      "a table of bytes",
      file({ a: { dtype: "U8", shape: [2, 2], data_offsets: [0, 4] } }, fourBytes),
      'tensor "a" has shape [2,2]',
    ],
    ["no dtype", file({ a: { ...one, dtype: undefined } }, fourBytes), 'tensor "a" has dtype nothing'],
    ["a negative shape", file({ a: { ...one, shape: [-1, -1] } }, fourBytes), 'tensor "a" has shape [-1,-1]'],
    ["a broken shape", file({ a: { ...one, shape: [0.5, 2] } }, fourBytes), 'tensor "a" has shape [0.5,2]'],
    [
      "three offsets",
      file({ a: { ...one, data_offsets: [0, 4, 8] } }, fourBytes),
      'tensor "a" has data_offsets [0,4,8]',
    ],
    [
      "a negative offset",
      file({ a: { ...one, data_offsets: [-4, 0] } }, fourBytes),
      'tensor "a" has data_offsets [-4,0]',
    ],
    [
      "a field nobody knows",
      file({ a: { ...one, scale: 2 } }, fourBytes),
      'tensor "a" has an unknown field "scale"',
    ],
    ["a shape unlike its bytes", file({ a: { ...one, shape: [2] } }, fourBytes), "takes 8 bytes, got [0,4]"],
    [
      "a shape beyond all memory",
      file({ a: { ...one, shape: [2 ** 40, 2 ** 40] } }, fourBytes),
      "bytes, got [0,4]",
    ],
    [
      "two tensors on the same bytes",
      file({ a: one, b: one }, fourBytes),
      'tensor "b" begins at 0, expected 4',
    ],
    [
      "a hole",
      file({ a: one, b: { ...one, data_offsets: [8, 12] } }, new Uint8Array(12)),
      'tensor "b" begins at 8, expected 4',
    ],
    [
      "a tensor beyond the data",
      file({ a: one }, fourBytes.subarray(1)),
      "data is 3 bytes, header describes 4",
    ],
    ["data that no tensor has", file({ a: one }, new Uint8Array(5)), "data is 5 bytes, header describes 4"],
    [
      "a name given twice",
      file(
        `{"a":${JSON.stringify(one)},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`,
        Buffer.alloc(8),
      ),
      'tensor "a" begins at 4, expected 0',
    ],
  ])("%s", (_, bytes, reason) => {
    expect(() => decode(bytes)).toThrow(SafetensorsError);
    expect(() => decode(bytes)).toThrow(reason);
  });

  test("while the file they are all distortions of is read", () => {
    expect(decode(file({ a: one }, fourBytes)).tensors).toEqual({ a: Float32Array.of(0) });
  });
});

test("answers any bytes with tensors or a SafetensorsError", () => {
  const distorted = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 12 })).map(([at, patch]) => {
    const bytes = Buffer.from(BY_THE_REFERENCE, "base64");
    bytes.set(patch.subarray(0, bytes.length - (at % bytes.length)), at % bytes.length);
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), distorted), (bytes) => {
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(SafetensorsError);
      }
    }),
    { numRuns: 2000 },
  );
});
