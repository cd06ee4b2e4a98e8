import { SourceMap } from "node:module";
import { describe, expect, it } from "vitest";
import { type CpuProfile, timeByPlace, unbundled } from "../../bench/harness/profile.ts";

/** A chain of calls, each calling the next, sampled as told: [node, microseconds]. */
function profile(
  frames: readonly [string, string][],
  samples: readonly (readonly [number, number])[],
): CpuProfile {
  return {
    nodes: frames.map(([functionName, url], id) => ({
      id,
      callFrame: { functionName, url, lineNumber: id, columnNumber: 0 },
      children: id + 1 < frames.length ? [id + 1] : [],
    })),
    samples: samples.map(([id]) => id),
    timeDeltas: samples.map(([, us]) => us),
  };
}

const file = (path: string) => `file:///somewhere/unlocked/${path}`;

describe("time by place", () => {
  it.each([
    ["kernels", "adam", "wasm://wasm/123"],
    ["kernels", "multiply", file("shared/math/native-kernels.ts")],
    ["sockets", "send", file("node_modules/ws/lib/sender.js")],
    ["sockets", "writeGeneric", "node:internal/stream_base_commons"],
    ["wire", "scan", file("shared/wire/scan.ts")],
    ["wire", "constructor", file("shared/wire/tensor.ts")],
    ["wire", "pack", file("node_modules/msgpackr/pack.js")],
    ["records", "info", file("node_modules/pino/lib/tools.js")],
    ["service", "update", file("services/layer/layer-work.ts")],
    ["garbage", "(garbage collector)", ""],
    ["native", "(program)", ""],
    ["idle", "(idle)", ""],
  ])("says %s for %s in %s", (place, name, url) => {
    const frames: [string, string][] = [
      ["multiply", "wasm://wasm/1"],
      [name, url],
    ];
    const found = timeByPlace(
      profile(frames, [
        [0, 1],
        [1, 10],
      ]),
    );
    expect(found.get(place as never)).toBe(place === "kernels" ? 11 : 10);
  });

  it("gives what is in no file of ours to whoever called it", () => {
    const frames: [string, string][] = [
      ["(root)", ""],
      ["step", file("shared/math/a.ts")],
      ["decode", file("shared/wire/codec.ts")],
      ["set", ""],
      ["copy", "node:buffer"],
    ];
    expect(
      timeByPlace(
        profile(frames, [
          [1, 1],
          [3, 20],
          [4, 300],
        ]),
      ),
    ).toEqual(
      new Map([
        ["kernels", 1],
        ["wire", 320],
      ]),
    );
  });

  it("begins with the first sample in the kernels", () => {
    const frames: [string, string][] = [
      ["load", file("shared/config/config.ts")],
      ["step", file("shared/math/a.ts")],
    ];
    expect(
      timeByPlace(
        profile(frames, [
          [0, 1000],
          [1, 1],
          [0, 5],
        ]),
      ),
    ).toEqual(
      new Map([
        ["kernels", 1],
        ["records", 5],
      ]),
    );
  });
});

describe("a profile of a bundle", () => {
  it("says of each function where it was written, and leaves the files that no map is of", () => {
    const bundle = file("cache/main.cjs");
    const sampled = profile(
      [
        ["(root)", ""],
        ["step", bundle],
        ["scan", bundle],
        ["emit", "node:events"],
      ],
      [],
    );
    // Line 1, as lines are counted from 0, is of the first source, line 2 of the second.
    const map = new SourceMap({
      version: 3,
      file: "main.cjs",
      sources: ["../shared/math/a.ts", "../shared/wire/scan.ts"],
      sourcesContent: [],
      names: [],
      mappings: ";AAAA;ACAA",
      sourceRoot: "",
    });
    const { nodes } = unbundled(sampled, (url) => (url === bundle ? map : undefined));
    expect(nodes.map(({ callFrame }) => callFrame.url)).toEqual([
      "",
      file("shared/math/a.ts"),
      file("shared/wire/scan.ts"),
      "node:events",
    ]);
  });
});
