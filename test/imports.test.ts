import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { readsOfProcess } from "./support/rooms/process-reads.ts";
import { circleIn, forbiddenImports, importsOf, roomOf, roomsOf } from "./support/rooms/room-imports.ts";
import { page, rules } from "./support/rooms/rules.ts";
import { sourcesIn } from "./support/rooms/walk.ts";

describe("the rooms", () => {
  const files = ["shared", "services", "deploy"].flatMap(sourcesIn);

  it("import only what the design lets them", () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => forbiddenImports(file, readFileSync(file, "utf8")))).toEqual([]);
  });

  it("know each other one way only, types too: no way leads back", () => {
    expect(circleIn(roomsOf(files.map((file) => [file, readFileSync(file, "utf8")])))).toBeUndefined();
  });

  it("are all in the design", () => {
    const known = new Set([...Object.keys(rules), page.folder, "services/start"]);
    expect(files.filter((file) => !known.has(roomOf(file)))).toEqual([]);
  });

  it("give the page only files that know no more than each other", () => {
    const beyond = page.values.flatMap((file) =>
      importsOf(file, readFileSync(file, "utf8"))
        .filter(({ isType }) => !isType)
        .map(({ from }) => posix.join(posix.dirname(file), from)),
    );
    expect(beyond.filter((path) => !page.values.includes(path))).toEqual([]);
  });

  it("leave the process to main.ts", () => {
    expect(files.flatMap((file) => readsOfProcess(file, readFileSync(file, "utf8")))).toEqual([]);
  });
});

describe("this test's reading of imports", () => {
  it.each([
    ["shared/math/a.ts", 'import { readFileSync } from "node:fs";', "node:fs"],
    ["shared/math/a.ts", 'import type { Frame } from "../wire/frames.ts";', "../wire/frames.ts"],
    ["shared/math/wasm/a.ts", 'export * from "../../dni/head.ts";', "../../dni/head.ts"],
    ["shared/dni/a.ts", 'const wire = await import("../wire/codec.ts");', "../wire/codec.ts"],
    ["shared/data/a.ts", 'import { z } from "zod";', "zod"],
    ["shared/data/a.ts", 'import "../math/random.ts";', "../math/random.ts"],
    [
      "shared/wire/a.ts",
      'import { plainKernels } from "../math/plain-kernels.ts";',
      "../math/plain-kernels.ts",
    ],
    ["shared/wire/a.ts", 'import { type Kernels, other } from "../math/kernels.ts";', "../math/kernels.ts"],
    ["shared/link/a.ts", 'import { loadConfig } from "../run/read-config.ts";', "../run/read-config.ts"],
    ["shared/delivery/a.ts", 'import type { Frame } from "../wire/frames.ts";', "../wire/frames.ts"],
    ["shared/delivery/a.ts", 'type F = import("../wire/frames.ts").Frame;', "../wire/frames.ts"],
    [
      "shared/config/a.ts",
      'import { plainKernels } from "../math/plain-kernels.ts";',
      "../math/plain-kernels.ts",
    ],
    [
      "shared/record/a.ts",
      'import { work } from "../../services/layer/work.ts";',
      "../../services/layer/work.ts",
    ],
    ["shared/link/a.ts", 'const ws = require("../dni/head.ts");', "../dni/head.ts"],
    ["services/page/a.ts", 'import { join } from "node:path";', "node:path"],
    ["services/page/a.tsx", 'import { serve } from "../hub/serve.ts";', "../hub/serve.ts"],
    [
      "services/page/a.ts",
      'import { log } from "../../../shared/record/log.ts";',
      "../../../shared/record/log.ts",
    ],
    ["services/hub/serve.ts", 'import { cards } from "../page/worker-cards.ts";', "../page/worker-cards.ts"],
  ])("finds in %s: %s", (file, text, from) => {
    expect(forbiddenImports(file, text)).toEqual([
      expect.stringMatching(`^${file} imports (types of )?"${from}": `),
    ]);
  });

  it.each([
    ["shared/math/a.ts", 'import { b } from "./wasm/b.ts"; // import "node:fs"'],
    ["shared/math/wasm/load.ts", 'import { readFileSync } from "node:fs";'],
    ["shared/dni/a.ts", 'import { c } from "../math/c.ts"; import d from "../dni/d.ts";'],
    ["shared/data/a.ts", 'import { join } from "node:path";'],
    [
      "shared/wire/a.ts",
      'import { type Kernels } from "../math/kernels.ts"; import { Packr } from "msgpackr";',
    ],
    [
      "shared/config/a.ts",
      'export type { Frame } from "../wire/frames.ts"; import { kindOf } from "../layers/kinds.ts";',
    ],
    ["services/layer/a.ts", 'import "../../shared/dni/head.ts"; import "ws";'],
    ["services/page/a.tsx", 'import { render } from "preact"; import type { RunRow } from "../hub/a.ts";'],
    ["services/page/a.ts", 'import { standing } from "../../shared/record/standing.ts";'],
  ])("lets %s have: %s", (file, text) => expect(forbiddenImports(file, text)).toEqual([]));

  it("sees a circle of three rooms, and that a fork with one end is none", () => {
    const [ab, bc, ac] = [
      ["shared/a/x.ts", 'import type { B } from "../b/x.ts";'],
      ["shared/b/x.ts", 'import "../c/x.ts";'],
      ["shared/a/y.ts", 'import "../c/x.ts"; import "./x.ts"; import "ws";'],
    ] as const;
    expect(circleIn(roomsOf([ab, bc, ac]))).toBeUndefined();
    const back = ["shared/c/y.ts", 'export * from "../a/y.ts";'] as const;
    expect(circleIn(roomsOf([ab, bc, ac, back]))).toEqual(["shared/a", "shared/b", "shared/c", "shared/a"]);
  });

  it.each([
    ["services/layer/work.ts", "const port = process.env.PORT;"],
    ["services/layer/work.ts", 'process["exit"](1);'],
    ["services/layer/work.ts", "{ const process = 1; } process.exit(1);"],
    ["services/layer/work.ts", "const { env } = globalThis.process;"],
    ["services/layer/work.ts", 'import { env } from "node:process";'],
    ["shared/main.ts", "process.exit(1);"],
  ])("sees the process in %s: %s", (file, text) => expect(readsOfProcess(file, text)).toHaveLength(1));

  it.each([
    ["services/layer/main.ts", "process.exit(1);"],
    ["services/layer/work.ts", "// process.env\nrun.process.start(); const child = { process: 1 };"],
    ["services/layer/work.ts", "for (const process of all) process.kill();"],
    ["services/layer/work.ts", "const stop = (process: Child) => { process.kill(); };"],
    ["services/layer/work.ts", "{ const process = start(); watch(process); }"],
  ])("sees none in %s: %s", (file, text) => expect(readsOfProcess(file, text)).toEqual([]));
});
