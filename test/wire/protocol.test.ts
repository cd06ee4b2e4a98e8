import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configHash, hashedJson } from "../../shared/config/hash.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import { decode } from "../../shared/wire/codec.ts";
import { CloseCode, type Frame, PROTOCOL_VERSION } from "../../shared/wire/frames.ts";
import { DTYPE_BYTES, LARGEST_VALUE } from "../../shared/wire/tensor.ts";
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

const page = readFileSync("shared/wire/PROTOCOL.md", "utf8");

/** One of each kind, with every optional field. */
const frames: { readonly [Kind in Frame["kind"]]: Extract<Frame, { kind: Kind }> } = {
  challenge,
  hello: { ...hello, nonce: "1".repeat(64), proof: "2".repeat(64) },
  welcome: { ...welcome, proof: "2".repeat(64) },
  activation: { ...activation(0), evaluation: { part: 0, parts: 1 }, input: countingTensor(2, 4) },
  preview: preview(0),
  correction: correction(0),
  question: { kind: "question", question: 7, activation: countingTensor(1, 4) },
  gradient: {
    kind: "gradient",
    batch: 0,
    part: 0,
    snapshot: "000000005-0a1b2c3d",
    gradient: countingTensor(2, 4),
  },
  rewind: { kind: "rewind", need: 0 },
  barrier: { kind: "barrier", batch: 5, snapshot: "000000005-0a1b2c3d", kept: [] },
  snapshot: {
    kind: "snapshot",
    snapshot: "000000005-0a1b2c3d",
    saved: [{ layer: 1, digest: "ab".repeat(32) }],
    test: { loss: 0, error: 0 },
  },
  end: { kind: "end", batches: 1 },
  finished: {
    kind: "finished",
    reports: [{ layer: 1, applied: [[0, 0]], restarts: 0, digest: "ab".repeat(32) }],
    test: { loss: 0, error: 0 },
  },
  release: { kind: "release" },
};

test.each(Object.values(frames))("the page has a section for $kind, with every field", (frame) => {
  const section = page.split(`\n### ${frame.kind}\n`)[1]?.split(/\n##/)[0] ?? "";
  const fields = [...section.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell]) => cell?.match(/\w+/g) ?? []);
  expect(fields).toEqual(expect.arrayContaining(Object.keys(frame)));
});

test("the page lists every close code under its name, and no other of ours", () => {
  const rows = [...page.matchAll(/^\| (\d{4}) \| `(\w+)` \|/gm)].map(([, code, name]) => [
    name,
    Number(code),
  ]);
  expect(Object.fromEntries(rows)).toEqual(CloseCode);
});

test("every close code the page threatens with is in its list", () => {
  const known = new Set<number>([...Object.values(CloseCode), 1006, 1008, 1009]);
  const named = [...page.matchAll(/\b(44\d\d|10\d\d)\b/g)].map(([code]) => Number(code));
  const others = named.filter((code) => !known.has(code));
  expect(others).toEqual([]);
});

test("the bytes that the page shows are the frame it says they are", () => {
  const [, hex = "", need = ""] = /`([0-9a-f ]+)` is `\{ kind: "rewind", need: (\d+) \}`/.exec(page) ?? [];
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  expect(decode(bytes, { maxFrameBytes: 100 })).toEqual({ kind: "rewind", need: Number(need) });
});

test("the page has every field of a tensor, and every dtype with its bytes", () => {
  const section = page.split("\n### Tensors\n")[1]?.split(/\n##/)[0] ?? "";
  const fields = [...section.matchAll(/^\| `(\w+)` \| (?!\d)/gm)].map(([, field]) => field);
  expect(fields.toSorted()).toEqual(Object.keys({ ...byteTensor(1, 1), scale: 1 }).toSorted());
  const bytes = [...section.matchAll(/^\| `(\w+)` \| (\d) \|/gm)].map(([, dtype, size]) => [
    dtype,
    Number(size),
  ]);
  expect(Object.fromEntries(bytes)).toEqual(DTYPE_BYTES);
});

test("the page is of this version, and bounds values where the code does", () => {
  expect(page).toContain(`neighbours, version ${PROTOCOL_VERSION}\n`);
  const stated = [...page.matchAll(/^\| `protocol` \| integer \| (\d+)\./gm)].map(([, version]) =>
    Number(version),
  );
  expect(stated).toEqual([PROTOCOL_VERSION, PROTOCOL_VERSION]);
  expect(page).toContain(`±${LARGEST_VALUE.toLocaleString("en")}`);
});

test("the hash of the page is that of its text, and of the config it is of", () => {
  const text = /^ {4}(\{"data":.*\})$/m.exec(page)![1]!;
  const hash = createHash("sha256").update(text).digest("hex");
  expect(page).toContain(`and \`${hash}\`.`);
  const { config } = loadConfig("configs/conform.yaml");
  expect(hashedJson(config)).toBe(text);
  expect(configHash(config)).toBe(hash);
});
