import { pack, unpack } from "msgpackr";
import { encode } from "../../shared/wire/codec.ts";
import { type Frame, PROTOCOL_VERSION } from "../../shared/wire/frames.ts";
import {
  activation,
  byteTensor,
  challenge,
  correction,
  countingTensor,
  hello,
  preview,
  welcome,
} from "../support/frames.ts";
import { seeded } from "../support/seeded.ts";

const report = { layer: 1, applied: [[0, 9] as const], restarts: 0, digest: "0f".repeat(32) };

/** One of every kind and shape. */
export const validFrames: readonly Frame[] = [
  challenge,
  hello,
  { ...hello, nonce: "1".repeat(64), proof: "2".repeat(64) },
  welcome,
  activation(3),
  { ...activation(4), evaluation: { part: 0, parts: 2 }, input: countingTensor(2, 3) },
  { ...activation(6), activation: byteTensor(2, 4) },
  preview(5),
  correction(5),
  { ...correction(6), activation: byteTensor(2, 4) },
  { kind: "question", question: 2 ** 40, activation: countingTensor(1, 4) },
  { kind: "gradient", batch: 7, gradient: countingTensor(2, 4) },
  { kind: "gradient", batch: 8, gradient: byteTensor(2, 4) },
  { kind: "gradient", batch: 7 },
  { kind: "gradient", batch: 7, part: 3 },
  { kind: "gradient", batch: 5, snapshot: "000000005-0a1b2c3d" },
  { kind: "rewind", need: 70_000 },
  { kind: "barrier", batch: 5, snapshot: "000000005-0a1b2c3d", kept: ["000000004-00000000"] },
  {
    kind: "snapshot",
    snapshot: "000000005-0a1b2c3d",
    saved: [{ layer: 2, digest: "0f".repeat(32) }],
    test: { loss: 1, error: 0.5 },
  },
  { kind: "end", batches: 100 },
  {
    kind: "finished",
    reports: [report, { ...report, layer: 2 }],
    test: { loss: 1, error: 0.5, exact: 0.25 },
  },
  { kind: "release" },
];

/** As long as real ones are: 64 KB of numbers. */
const long = Buffer.from(encode(activation(5, 64, 256)));

/** What may stand where another value is expected: edges of every type, and what has ended other programs. */
const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1, 0.5, PROTOCOL_VERSION, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, -(2 ** 63)],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE, 1e308, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n],
  ...[
    "",
    "a",
    "f32",
    "u8",
    "activation",
    "__proto__",
    "constructor",
    "\u0000",
    "\n",
    "é".repeat(128),
    "a".repeat(300),
  ],
  ...[[], [[]], [1, 2], [0, 0], [2 ** 40, 2 ** 40], [-1, 4], [1.5, 2], Array(65).fill(0), Array(64).fill([])],
  ...[{}, { kind: "hello" }, { data: new Uint8Array(3) }, Object.fromEntries([["toString", 1]])],
  ...[new Uint8Array(), new Uint8Array(1), new Uint8Array(32), Buffer.alloc(5000)],
  ...[/(a+)+$/, new Date(0), new Error("x"), new Map([[1, 2]]), new Set([1]), new Float32Array(4)],
];

/** An endless, seeded mixture: bytes changed, fields changed, frames made of several, noise. */
export class Mutants {
  readonly #random: () => number;
  readonly #seeds: readonly Buffer[];
  #made = 0;

  /** Made of these frames. */
  constructor(seed: number, frames = validFrames) {
    this.#random = seeded(seed);
    // Copies: what encode gives may be used again.
    this.#seeds = frames.map((frame) => Buffer.from(encode(frame)));
  }

  next(): Buffer {
    const turn = this.#made++ % 100;
    if (turn === 0) return this.#changeBytes(long);
    if (turn < 10) return this.#noise();
    return turn < 50 ? this.#changeFields() : this.#changeBytes(this.#pick(this.#seeds));
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)]!;
  }

  /** Half of it begins as a frame does. */
  #noise(): Buffer {
    const noise = Buffer.from(Array.from({ length: this.#below(96) }, () => this.#below(256)));
    return this.#below(2) === 0 ? noise : Buffer.concat([this.#pick(this.#seeds).subarray(0, 12), noise]);
  }

  /** 1 to 4 changes: a byte replaced, a bit flipped, a run cut out, doubled or taken from another frame. */
  #changeBytes(frame: Buffer): Buffer {
    let mutant: Buffer = Buffer.from(frame);
    for (let changes = 1 + this.#below(4); changes > 0 && mutant.length > 0; changes--) {
      const at = this.#below(mutant.length);
      const end = Math.min(mutant.length, at + 1 + this.#below(8));
      const choice = this.#below(6);
      if (choice <= 1) mutant[at] = this.#below(256);
      else if (choice === 2) mutant[at]! ^= 1 << this.#below(8);
      else if (choice === 3) mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(end)]);
      else if (choice === 4) mutant = Buffer.concat([mutant.subarray(0, end), mutant.subarray(at)]);
      else mutant = Buffer.concat([mutant.subarray(0, at), this.#tail()]);
    }
    return mutant;
  }

  #tail(): Buffer {
    const other = this.#pick(this.#seeds);
    return other.subarray(this.#below(other.length));
  }

  /** 1 to 3 fields, at any depth, replaced, left out, added or taken from another frame; then packed anew. */
  #changeFields(): Buffer {
    const frame = unpack(this.#pick(this.#seeds)) as Record<string, unknown>;
    for (let changes = 1 + this.#below(3); changes > 0; changes--) this.#changeField(frame);
    return pack(frame);
  }

  /** A copy: what is done to it later must not come back in other frames. */
  #oddValue(): unknown {
    return structuredClone(this.#pick(ODD_VALUES));
  }

  #changeField(map: Record<string, unknown>): void {
    const keys = Object.keys(map);
    if (keys.length === 0) return;
    const key = this.#pick(keys);
    const value = map[key];
    const isMap = typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
    if (isMap && this.#below(3) > 0) return this.#changeField(value as Record<string, unknown>);
    const choice = this.#below(5);
    if (choice === 0) delete map[key];
    else if (choice === 1)
      map[this.#pick(["extra", "batch", "scale", "proof", "need", "toString"])] = this.#oddValue();
    else if (choice === 2) map[key] = map[this.#pick(keys)];
    else map[key] = this.#oddValue();
  }
}
