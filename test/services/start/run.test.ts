import { execFile, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
const RUN = "services/start/run.cjs";
const LAYER = "services/layer/main.ts";
/** A source with words that a layer without flags says. */
const OPTIONS = "services/worker/options.ts";
const stripsTypes = "typescript" in process.features && process.features.typescript === "strip";

let root: string;
let cache: string;
let bundled: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "unlocked-run-")));
  cache = join(root, "node_modules/.cache/unlocked");
  bundled = join(cache, "services/layer/main.cjs");
  for (const part of ["services", "shared", "deploy", "configs", "package.json", "tsconfig.json"]) {
    cpSync(join(PROJECT, part), join(root, part), { recursive: true, filter: isOfLayer });
  }
  mkdirSync(join(root, "node_modules"));
  for (const name of readdirSync(join(PROJECT, "node_modules"))) {
    if (name !== ".cache") symlinkSync(join(PROJECT, "node_modules", name), join(root, "node_modules", name));
  }
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Of the programs only one is there to be bundled: all of them take longer. */
function isOfLayer(path: string): boolean {
  return !path.endsWith("/main.ts") || path.endsWith(LAYER);
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function node(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, UNLOCKED_BUNDLE: "", ...env },
  });
  return { code: status, out: stdout, err: stderr };
}

function run(...args: string[]): Ran {
  return node(root, [RUN, ...args]);
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(root, path), "utf8");
  expect(text).toContain(from);
  writeFileSync(join(root, path), text.replaceAll(from, to));
}

describe("a program that is run", () => {
  it("is the one in the files, after every edit", () => {
    expect(run(LAYER).out).toContain("Cannot start: ");
    edit(OPTIONS, "Cannot start", "Will not start");
    expect(run(LAYER).out).toContain("Will not start: ");
    edit(OPTIONS, "Will not start", "Cannot start");
    expect(run(LAYER).out).toContain("Cannot start: ");
  });

  it("is bundled once for the same files", () => {
    run(LAYER);
    const { mtimeMs } = statSync(bundled);
    run(LAYER);
    expect(statSync(bundled).mtimeMs).toBe(mtimeMs);
  });

  it("is bundled anew in a folder that was moved", () => {
    run(LAYER);
    const former = pathToFileURL(root).href;
    expect(readFileSync(bundled, "utf8")).toContain(`${former}/`);
    const moved = `${root}-moved`;
    renameSync(root, moved);
    root = moved;
    expect(run(LAYER).out).toContain("Cannot start: ");
    expect(
      readFileSync(bundled.replace(cache, join(root, "node_modules/.cache/unlocked")), "utf8"),
    ).not.toContain(`${former}/`);
  });

  it("is bundled anew where the bundle is damaged, also for what a program starts", () => {
    const whole = told(run(LAYER));
    expect(whole.out).toContain("Cannot start: ");
    const text = readFileSync(bundled);
    const damaged: [string, Uint8Array][] = [
      ["", Buffer.alloc(0)],
      [cache, Buffer.alloc(0)],
      [cache, text.subarray(0, -1)],
      [cache, Buffer.concat([text.subarray(0, 4096), Buffer.alloc(4096), text.subarray(8192)])],
    ];
    for (const [UNLOCKED_BUNDLE, bytes] of damaged) {
      writeFileSync(bundled, bytes);
      expect(told(node(root, [RUN, LAYER], { UNLOCKED_BUNDLE }))).toEqual(whole);
    }
  });

  it("is of the bundle of what started it, whatever the files hold by now", () => {
    edit(LAYER, "runProgram(process", "console.log(process.env.UNLOCKED_BUNDLE);\nrunProgram(process");
    expect(run(LAYER).out.split("\n")[0]).toBe(cache);
    edit(OPTIONS, "Cannot start", "Will not start");
    const outOf = (UNLOCKED_BUNDLE: string) => node(root, [RUN, LAYER], { UNLOCKED_BUNDLE }).out;
    expect(outOf(cache)).toContain("Cannot start: ");
    expect(outOf(join(PROJECT, "node_modules/.cache/unlocked"))).toContain("Will not start: ");
  });

  it("is whole for many that come at once", async () => {
    const runner = () => promisify(execFile)(process.execPath, [RUN, LAYER, "--help"], { cwd: root });
    for (const { stdout, stderr } of await Promise.all([runner(), runner(), runner()])) {
      expect(stderr).toBe("");
      expect(stdout).toContain("One layer of a network");
    }
    expect(readdirSync(join(cache, "services/layer")).sort()).toEqual(["main.cjs", "main.cjs.map"]);
  });

  it("is made of what was read, not of what is written meanwhile", () => {
    const script = `
      const { readFileSync, writeFileSync } = require("node:fs");
      const { bundle } = require("./services/start/bundle.cjs");
      const made = bundle(process.argv[1]);
      const text = readFileSync("${OPTIONS}", "utf8");
      writeFileSync("${OPTIONS}", text.replaceAll("Cannot start", "Will not start"));
      made.catch(console.error);`;
    expect(node(root, ["-e", script, "--", bundled])).toEqual({ code: 0, out: "", err: "" });
    expect(node(root, [RUN, LAYER], { UNLOCKED_BUNDLE: cache }).out).toContain("Cannot start: ");
    expect(run(LAYER).out).toContain("Will not start: ");
  });

  it("is not made of files that nobody looks at for changes", () => {
    writeFileSync(join(root, "aside.ts"), "export const aside = 1;");
    edit(
      LAYER,
      "runProgram(process",
      'import { aside } from "../../aside.ts";\nconsole.log(aside);\nrunProgram(process',
    );
    const { out, err } = run(LAYER);
    expect(err).toMatch(/aside\.ts: it is not one of the sources/);
    expect(out).toMatch(/^1\n.*Cannot start/);
  });

  it("is bundled anew for other settings, another bundler and other packages", () => {
    run(LAYER);
    for (const path of ["tsconfig.json", "services/start/bundle.cjs", "node_modules/.package-lock.json"]) {
      const before = readFileSync(bundled, "utf8");
      const text = readFileSync(join(root, path), "utf8");
      // Some are links to files of the project.
      rmSync(join(root, path));
      writeFileSync(join(root, path), `${text}\n`);
      run(LAYER);
      expect(readFileSync(bundled, "utf8")).not.toBe(before);
    }
  });

  it("runs from its sources where no bundle can be kept, and says so", () => {
    const bundled = run(LAYER);
    rmSync(join(root, "node_modules/.cache"), { recursive: true });
    writeFileSync(join(root, "node_modules/.cache"), "");
    const slow = run(LAYER);
    expect(slow.err).toMatch(/^Starting slowly, from the sources: E\w+: .*\n$/);
    expect(told({ ...slow, err: "" })).toEqual(told(bundled));
  });

  it("is refused with the mistake in its source, and leaves no bundle of it", () => {
    edit(OPTIONS, "export function readWorkerOptions(", "export function readWorkerOptions((");
    const { code, err } = run(LAYER);
    expect(err).toMatch(/options\.ts:\d+:\d+/);
    expect(code).toBe(1);
    expect(() => statSync(cache)).toThrow("ENOENT");
  });

  it("has the flags of the engine", () => {
    writeFileSync(join(root, "services/start/engine.cjs"), 'console.log("flags");');
    expect(run(LAYER, "--help").out).toMatch(/^flags$/m);
  });

  it.runIf(stripsTypes)("is compiled already where Node keeps that, whatever the flags of the engine", () => {
    run(LAYER);
    const { err } = node(root, [RUN, LAYER], { NODE_DEBUG_NATIVE: "COMPILE_CACHE" });
    expect(err).toMatch(/code cache for \w+ .*layer\/main\.cjs was accepted/);
  });
});

describe("the stack of an error", () => {
  it("says where its source is", () => {
    expect(run(LAYER).out).toMatch(
      / at readWorkerOptions \(\/[^ ]*\/services\/worker\/options\.ts:\d+:\d+\)/,
    );
  });

  it("takes no map of the packages, which would stop a layer for a tenth of a second", () => {
    run(LAYER);
    const { size } = statSync(bundled);
    // Two thirds of a bundle are packages. With them, the map is as long as the bundle.
    expect(statSync(`${bundled}.map`).size).toBeLessThan(size / 2);
  });
});

describe("a bundle and its sources", () => {
  const layer = ["--run", "r", "--state", "state", "--listen", "127.0.0.1:0", "--layer", "9"];
  it.each([
    ["a layer without flags", [LAYER], 78],
    ["a layer that the network has not", [LAYER, ...layer, "--config", "configs/two-rings.yaml"], 78],
    ["a layer with a bad config", [LAYER, ...layer, "--config", "package.json"], 78],
    ["a source without flags", ["services/source/main.ts"], 78],
    ["the command line asked for help", ["services/cli/main.ts", "train", "--help"], 0],
    ["the command line with a bad config", ["services/cli/main.ts", "train", "package.json"], 78],
    ["a compose file", ["services/cli/main.ts", "compose", "configs/mnist.yaml"], 0],
  ])("say the same: %s", (_, args, code) => {
    const bundled = node(PROJECT, [RUN, ...args]);
    expect(bundled.code).toBe(code);
    expect(told(bundled)).toEqual(
      told(node(PROJECT, [...(stripsTypes ? [] : ["--import", "tsx"]), ...args])),
    );
  });
});

/** Without what differs from one run to the next: times, and the way to a mistake. */
function told({ code, out, err }: Ran) {
  const lasting = out
    .replaceAll(/"time":"[^"]*"/g, "")
    .replaceAll(/"\w+Ms":[\d.]+/g, "")
    .replaceAll(/\\n {4}at [^"]*/g, "");
  return { code, out: lasting, err };
}
