import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Tracer } from "../../../services/layer/trace/tracer.ts";
import { joinTrace, spansFile } from "../../../services/train/trace.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unlocked-trace-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a layer wrote that worked on these batches, each for 2 ms, from `from` on (ms). */
function spans(layer: number, from: number, batches: number, room = 1_000_000): string {
  let now = from;
  let text = "";
  const tracer = new Tracer(
    layer,
    room,
    () => now,
    (lines) => {
      text += lines;
    },
  );
  for (let batch = 0; batch < batches; batch++)
    tracer.span("update", batch, () => {
      now += 2;
    });
  tracer.flush();
  return text;
}

function write(worker: string, text: string): void {
  mkdirSync(dirname(spansFile(folder, worker)), { recursive: true });
  writeFileSync(spansFile(folder, worker), text);
}

function events(): { name: string; ph: string; ts: number; dur: number; tid: number; args: object }[] {
  return JSON.parse(readFileSync(joinTrace(folder)!, "utf8")).traceEvents;
}

describe("a trace", () => {
  it("has a named track for each layer, and its times in microseconds from the first span on", () => {
    write("layer2", spans(2, 5_003, 1));
    write("layer1", spans(1, 5_000, 2));
    const names = events().filter(({ name }) => name === "thread_name");
    expect(names.map(({ tid, args }) => [tid, args])).toEqual([
      [1, { name: "layer1" }],
      [2, { name: "layer2" }],
    ]);
    expect(events().flatMap(({ ph, tid, ts, dur }) => (ph === "X" ? [[tid, ts, dur]] : []))).toEqual([
      [1, 0, 2_000],
      [1, 2_000, 2_000],
      [2, 3_000, 2_000],
    ]);
  });

  it("goes without the line that a killed layer left half written", () => {
    write("layer1", spans(1, 5_000, 3).slice(0, -20));
    expect(events().filter(({ ph }) => ph === "X")).toHaveLength(2);
  });

  it("is none where no layer was traced", () => {
    expect(joinTrace(folder)).toBeUndefined();
  });
});

describe("what a layer writes of itself", () => {
  it("ends where there is no more room, with whole lines", () => {
    const all = spans(1, 5_000, 1_000);
    const some = spans(1, 5_000, 1_000, 50_000);
    expect(some.length).toBeLessThanOrEqual(50_000);
    expect(some.length).toBeGreaterThan(49_000);
    expect(all.startsWith(some)).toBe(true);
    expect(some.endsWith("}\n")).toBe(true);
  });

  it("hands on what the work gives, and lets through what it throws", () => {
    const tracer = new Tracer(
      1,
      0,
      () => 0,
      () => undefined,
    );
    expect(tracer.span("update", 0, () => 7)).toBe(7);
    const fail = () => {
      throw new Error("poison");
    };
    expect(() => tracer.span("update", 0, fail)).toThrow("poison");
  });
});
