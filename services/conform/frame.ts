import { createHmac, randomBytes } from "node:crypto";
import { Packr, unpack } from "msgpackr";

/** Written for these checks from PROTOCOL.md alone: what the links of a run share with each other would hide its own mistakes. */

export const PROTOCOL = 6;

export type Fields = Readonly<Record<string, unknown>>;

/** A frame as it came or is to go, its fields not looked at. */
export interface Frame extends Fields {
  readonly kind: string;
}

export interface Tensor extends Fields {
  readonly dtype: string;
  readonly shape: readonly [number, number];
  readonly data: Buffer;
  readonly scales?: Buffer;
  readonly scale?: number;
}

const packr = new Packr({ useRecords: false, variableMapSize: true });

export function pack(value: unknown): Buffer {
  return Buffer.from(packr.pack(value));
}

/** A field that is undefined is left out. */
export function defined(frame: Frame): Frame {
  return Object.fromEntries(
    Object.entries(frame).filter(([, value]) => value !== undefined),
  ) as unknown as Frame;
}

/** Throws unless it is one MessagePack map with a kind. */
export function unpackFrame(bytes: Buffer): Frame {
  const value: unknown = unpack(bytes);
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isMap || typeof (value as Fields).kind !== "string") throw new Error("it is no map with a kind");
  return value as Frame;
}

/** A MessagePack map of these keys and values, each value packed already: also one that no packer would write. */
export function rawMap(entries: readonly (readonly [string, Buffer])[]): Buffer {
  const size =
    entries.length < 16 ? Buffer.from([0x80 | entries.length]) : Buffer.from([0xde, 0, entries.length]);
  return Buffer.concat([size, ...entries.flatMap(([key, value]) => [pack(key), value])]);
}

/** The entries of such a map that says what the frame says. */
export function entriesOf(frame: Fields): [string, Buffer][] {
  return Object.entries(frame).map(([key, value]) => [key, pack(value)]);
}

export function nonce(): string {
  return randomBytes(32).toString("hex");
}

/** As PROTOCOL.md has it under "The proof". */
export function proofOf(
  secret: Buffer,
  frame: Frame,
  to: unknown,
  listenerNonce: unknown,
  diallerNonce: unknown,
): string {
  const { kind, protocol, run, from, incarnation, instance, configHash } = frame;
  const lines = [`unlocked ${kind}`, protocol, run, from, to, incarnation, instance, configHash];
  const text = [...lines, listenerNonce, diallerNonce].join("\n");
  return createHmac("sha256", secret).update(text, "utf8").digest("hex");
}
