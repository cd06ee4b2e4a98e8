import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { prepareConfig, readConfig } from "../../shared/config/read-config.ts";
import type { Batch } from "../../shared/data/data-set.ts";
import { decodeText } from "../../shared/data/decode-text.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { encodeWindow } from "../../shared/data/text-window.ts";
import { put } from "../support/data-files.ts";

const folder = mkdtempSync(join(tmpdir(), "text-window-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each character but the last two is there once, so that an example says where it is from. */
const TEXT = Array.from({ length: 100 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join("");

async function open(contents: string, more: string, outputs: number) {
  const path = put(join(folder, "x.txt"), contents);
  const file = put(
    join(folder, "c.yaml"),
    `data: { set: text, path: ${path}, ${more} }\nlayers: [{ outputs: 4 }, { outputs: ${outputs} }]\nrun: { batches: 1 }\n`,
  );
  const { config } = await prepareConfig(file);
  expect(readConfig(canonicalYaml(config), "again.yaml").config).toEqual(config);
  const facts = dataFacts(config.data);
  return { facts: { ...facts, window: facts.window! }, set: await openDataSet(config.data) };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Of each row, the text of its inputs and the character that its label is. */
function shown({ facts }: Opened, { rows, input, labels }: Batch): [string, string][] {
  return Array.from({ length: rows }, (_, row) => {
    const own = input.subarray(row * facts.inputWidth, (row + 1) * facts.inputWidth);
    expect(sum(own)).toBe(facts.window);
    return [decodeText(facts, own), facts.labels![labels[row]!]!.name];
  });
}

const sum = (bits: ArrayLike<number>) => Array.from(bits).reduce((all, bit) => all + bit, 0);

describe("the last characters of a text", () => {
  it("are one-hot, the oldest first, and the class is the one after them", async () => {
    const opened = await open(TEXT, "window: 3", 100);
    expect(opened.facts).toMatchObject({ inputWidth: 300, labelWidth: 100, judged: "class" });
    expect(opened.facts.sequence).toBeUndefined();
    const batch = opened.set.batch(1, 0, 50);
    expect(batch.input.slice(0, 300).indexOf(1)).toBe(TEXT.indexOf(shown(opened, batch)[0]![0][0]!));
    for (const [last, next] of shown(opened, batch)) {
      const at = TEXT.indexOf(last);
      expect(at).toBeGreaterThanOrEqual(0);
      expect(next).toBe(TEXT[at + 3]);
    }
  });

  it("are of the training part alone, all of it; the last tenth is what is evaluated on, each place once", async () => {
    const opened = await open(TEXT, "window: 3", 100);
    const trained = Array.from({ length: 40 }, (_, number) => shown(opened, opened.set.batch(1, number, 50)));
    expect(new Set(trained.flat().map(([, next]) => next))).toEqual(new Set(TEXT.slice(3, 90)));
    const parts = Array.from({ length: opened.set.evaluationParts(4) }, (_, part) =>
      shown(opened, opened.set.evaluationPart(part, 4)),
    );
    expect(parts.flat()).toEqual(
      [90, 91, 92, 93, 94, 95, 96].map((at) => [TEXT.slice(at, at + 3), TEXT[at + 3]]),
    );
  });

  it("are the same for the same seed and number, and others for others", async () => {
    const { set } = await open(TEXT, "window: 3", 100);
    const again = (await open(TEXT, "window: 3", 100)).set;
    expect(set.batch(1, 7, 5)).toEqual(again.batch(1, 7, 5));
    expect(set.batch(1, 7, 5)).not.toEqual(set.batch(1, 8, 5));
    expect(set.batch(1, 7, 5)).not.toEqual(set.batch(2, 7, 5));
  });

  it("are evaluated on at so many places as the config says, from all over the part", async () => {
    const opened = await open(TEXT, "window: 3, heldOut: 0.5, windows: 4", 100);
    const starts = shown(opened, opened.set.evaluationPart(0, 10)).map(([last]) => TEXT.indexOf(last));
    expect(starts).toEqual([50, 61, 73, 85]);
  });

  it("may be bytes", async () => {
    const opened = await open("é".repeat(50), "window: 2, units: bytes", 256);
    expect(opened.facts.inputWidth).toBe(512);
    const [first] = opened.set.batch(1, 0, 1).input.entries();
    expect(first).toBeDefined();
    const { input, labels } = opened.set.batch(1, 0, 20);
    for (let row = 0; row < 20; row++) {
      const isSecond = input[row * 512 + 0xa9] === 1;
      expect(input[row * 512 + 0xc3]).toBe(isSecond ? 0 : 1);
      expect(labels[row]).toBe(isSecond ? 0xa9 : 0xc3);
    }
  });
});

describe("a prompt", () => {
  const facts = { window: 3, inputWidth: 9, characters: "a\nb" };

  it.each([
    ["abba", "bba"],
    ["b", "\n\nb"],
    ["", "\n\n\n"],
  ])("%j is its last characters, after new lines where it is short", (prompt, last) => {
    expect(decodeText(facts, encodeWindow(facts, prompt))).toBe(last);
  });

  it("is encoded as the examples are", async () => {
    const opened = await open(TEXT, "window: 3", 100);
    const { input } = opened.set.evaluationPart(0, 1);
    expect([...encodeWindow(opened.facts, TEXT.slice(0, 93))]).toEqual([...input]);
  });
});
