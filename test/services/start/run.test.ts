import { execFile, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundle } from "../../../services/start/bundle.mjs";
import { readSources } from "../../../services/start/sources.mjs";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
const LAYER = "services/layer/main.ts";
/** A source with words that a layer without flags says. */
const OPTIONS = "services/worker/options.ts";

let root: string;
let cache: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "unlocked-run-")));
  cache = join(root, "node_modules/.cache/unlocked");
  for (const part of ["services", "shared", "deploy", "configs", "package.json", "tsconfig.json"]) {
    cpSync(join(PROJECT, part), join(root, part), { recursive: true });
  }
  mkdirSync(join(root, "node_modules"));
  for (const name of readdirSync(join(PROJECT, "node_modules"))) {
    if (name !== ".cache") symlinkSync(join(PROJECT, "node_modules", name), join(root, "node_modules", name));
  }
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function node(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { code: status, out: stdout, err: stderr };
}

function run(...args: string[]): Ran {
  return node(root, ["services/start/run.cjs", ...args]);
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(root, path), "utf8");
  expect(text).toContain(from);
  writeFileSync(join(root, path), text.replaceAll(from, to));
}

function bundles(): string[] {
  return existsSync(cache) ? readdirSync(cache).sort() : [];
}

describe("a program that is run", () => {
  it("is the one in the files, after every edit", () => {
    expect(run(LAYER).out).toContain("Cannot start: ");
    edit(OPTIONS, "Cannot start", "Will not start");
    expect(run(LAYER).out).toContain("Will not start: ");
    edit(OPTIONS, "Will not start", "Cannot start");
    expect(run(LAYER).out).toContain("Cannot start: ");
    expect(bundles()).toHaveLength(2);
  });

  it("is made once for the same files", () => {
    run();
    const [made] = bundles();
    const program = join(cache, made!, "services/layer/main.cjs");
    writeFileSync(program, `console.log("as it was made");`);
    expect(run(LAYER)).toEqual({ code: 0, out: "as it was made\n", err: "" });
  });

  it("is compiled already, for processes with the flags of ours", () => {
    const folder = run().out.trim();
    const address = pathToFileURL(join(folder, "services/layer/main.cjs")).href;
    const script = `
      const [address, flag] = process.argv.slice(1);
      require("./services/start/engine.cjs");
      if (flag) require("node:v8").setFlagsFromString(flag);
      console.log(require("./services/start/program.cjs").load(address).cachedDataRejected);`;
    const isRejected = (flag: string) => node(root, ["-e", script, "--", address, flag]).out.trim();
    expect(isRejected("")).toBe("false");
    // All of it: what V8 compiles unasked is a sixth of this.
    const sizes = ["main.cjs", "main.cjs.cache"].map(
      (name) => statSync(join(folder, "services/layer", name)).size,
    );
    expect(sizes[1]).toBeGreaterThan(sizes[0]!);
    expect(isRejected("--semi-space-growth-factor=2")).toBe("true");
    expect(node(root, ["--stack-size=900", "services/start/run.cjs", LAYER]).out).toContain("Cannot start: ");
  });

  it("is of the bundle of whoever started it, whatever the files hold by now, as long as there is one", () => {
    const bundle = run().out.trim();
    edit(OPTIONS, "Cannot start", "Will not start");
    const outOf = (UNLOCKED_BUNDLE: string) =>
      node(root, ["services/start/run.cjs", LAYER], { UNLOCKED_BUNDLE }).out;
    expect(outOf(bundle)).toContain("Cannot start: ");
    cpSync(bundle, join(root, "elsewhere"), { recursive: true });
    expect(outOf(`${bundle}-gone`)).toContain("Will not start: ");
    expect(outOf(join(root, "elsewhere"))).toContain("Will not start: ");
  });

  it("says so to those that it starts", () => {
    edit(LAYER, "let log =", "console.log(process.env.UNLOCKED_BUNDLE);\nlet log =");
    expect(run(LAYER).out.split("\n")[0]).toBe(run().out.trim());
  });

  it("is made by one of many that come at once", async () => {
    const runner = () => promisify(execFile)(process.execPath, ["services/start/run.cjs"], { cwd: root });
    const all = await Promise.all([runner(), runner(), runner()]);
    expect(all.map(({ stderr }) => stderr)).toEqual(["", "", ""]);
    expect(bundles()).toHaveLength(1);
  });

  it("is made of what was read, not of what is written meanwhile", async () => {
    const sources = readSources(root);
    edit(OPTIONS, "Cannot start", "Will not start");
    await bundle(sources, join(cache, sources.key));
    expect(run(LAYER).out).toContain("Will not start: ");
    edit(OPTIONS, "Will not start", "Cannot start");
    expect(run(LAYER).out).toContain("Cannot start: ");
    expect(bundles()).toHaveLength(2);
  });

  it("has ws in a file of its own", () => {
    const folder = run().out.trim();
    const map = readFileSync(join(folder, "services/layer/main.cjs.map"), "utf8");
    expect(map).toContain("shared/link/listen.ts");
    expect(map).not.toContain("node_modules/ws/");
  });

  it("can be read by whoever may read the packages", () => {
    run();
    expect(statSync(join(cache, bundles()[0]!)).mode & 0o777).toBe(0o755);
  });

  it("is not made of files that nobody looks at for changes", () => {
    writeFileSync(join(root, "aside.ts"), "export const aside = 1;");
    edit(LAYER, "let log =", 'import { aside } from "../../aside.ts";\nconsole.log(aside);\nlet log =');
    const { out, err } = run(LAYER);
    expect(err).toMatch(/aside\.ts: it is not one of the sources/);
    expect(out).toMatch(/^1\n.*Cannot start/);
    expect(bundles()).toEqual([]);
  });

  it.each(["tsconfig.json", "services/start/bundle.mjs", "node_modules/.package-lock.json"])(
    "is made anew for another %s",
    (path) => {
      run();
      const text = readFileSync(join(root, path), "utf8");
      rmSync(join(root, path));
      writeFileSync(join(root, path), `${text}\n`);
      run();
      expect(bundles()).toHaveLength(2);
    },
  );

  it("leaves only a few bundles behind, the newest", () => {
    for (const day of [3, 1, 5, 4, 2]) {
      mkdirSync(join(cache, `day-${day}`), { recursive: true });
      utimesSync(join(cache, `day-${day}`), day, day);
    }
    const made = basename(run().out.trim());
    expect(bundles()).toEqual([made, "day-3", "day-4", "day-5"].sort());
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
    expect(bundles()).toEqual([]);
  });
});

describe("the stack of an error", () => {
  /** What a program says that is one line, and whose map places everything in ours.ts. */
  function said(text: string): string {
    const program = join(root, "main.cjs");
    writeFileSync(program, text);
    writeFileSync(`${program}.map`, JSON.stringify({ version: 3, sources: ["ours.ts"], mappings: "AAAA" }));
    writeFileSync(join(root, "ws.cjs"), 'exports.call = (ours) => ours?.() ?? new Error("theirs").stack;');
    const script = `
      const fs = require("node:fs");
      const read = fs.readFileSync;
      fs.readFileSync = (path, ...more) => {
        if (String(path).endsWith(".map")) console.log("read the map");
        return read(path, ...more);
      };
      const { compiled, runBundled } = require("./services/start/program.cjs");
      const { readFileSync, writeFileSync } = require("node:fs");
      const address = ${JSON.stringify(pathToFileURL(program).href)};
      writeFileSync("main.cjs.cache", compiled(readFileSync("main.cjs", "utf8"), address));
      runBundled(address);`;
    const { out, err } = node(root, ["-e", script]);
    return out + err;
  }
  const OURS = 'console.log(require("./ws.cjs").call(() => new Error("ours").stack));';

  it("says where its source is", () => {
    expect(said(OURS)).toMatch(/^read the map\nError: ours\n {4}at .*\/ours\.ts:1:1/);
  });

  it("does so where something built in has thrown", () => {
    const parsing = 'try { JSON.parse("{"); } catch (error) { console.log(error.stack); }';
    expect(said(parsing)).toMatch(
      /^read the map\nSyntaxError: .*\n {4}at JSON\.parse \(<anonymous>\)\n {4}at .*\/ours\.ts:1:1/,
    );
  });

  it("makes nobody read the map where ws has thrown: a layer would stand still for it", () => {
    const theirs = said('console.log(require("./ws.cjs").call());');
    expect(theirs).toMatch(/^Error: theirs\n.*ws\.cjs:1:\d+\)\n.*main\.cjs:1:\d+/);
    expect(theirs).not.toContain("ours.ts");
  });

  it("has the code of an error of Node's, as without a bundle", () => {
    const nodes = 'try { require("node:fs").readFileSync({}); } catch (error) { console.log(error.stack); }';
    expect(said(nodes)).toContain("TypeError [ERR_INVALID_ARG_TYPE]: The");
  });

  it("is told as it is where the map is gone", () => {
    const gone = OURS.replace("console", 'require("node:fs").rmSync("main.cjs.map"); console');
    expect(said(gone)).toMatch(/^read the map\nError: ours\n {4}at .*main\.cjs:1:\d+/);
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
    const bundled = node(PROJECT, ["services/start/run.cjs", ...args]);
    expect(bundled.code).toBe(code);
    expect(told(bundled)).toEqual(told(node(PROJECT, ["--import", "tsx", ...args])));
  });
});

/** Without what differs from one run to the next: times, and how a program came to be called. */
function told({ code, out, err }: Ran) {
  const lasting = out
    .replaceAll(/"time":"[^"]*"/g, "")
    .replaceAll(/"\w+Ms":[\d.]+/g, "")
    .replaceAll(/at \w+\.(\w+ \()/g, "at $1")
    .replaceAll(/\\n {4}at (<anonymous> \()?[^\s()]+\/main\.ts:\d+:\d+\)?/g, "")
    .replaceAll(/\\n {4}at (async )?(\S+ \(|file:\/\/\S*\/)(node:internal|\S*services\/start\/)[^"]*/g, "");
  return { code, out: lasting, err };
}
