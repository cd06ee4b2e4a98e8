import { spawnSync } from "node:child_process";
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
} from "node:fs";
import { appendFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
const MOST_BYTES = 150 * 1024;

let root: string;

beforeEach(() => {
  root = project();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** By the copy that lies there. */
function builtPage(folder: string): Promise<string> {
  return createRequire(import.meta.url)(join(folder, "services/hub/build-page.cjs")).builtPage();
}

/** A copy of what the page is made of, with our packages. */
function project(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "unlocked-page-")));
  for (const part of ["services", "shared", "package.json", "package-lock.json", "tsconfig.json"]) {
    cpSync(join(PROJECT, part), join(folder, part), { recursive: true });
  }
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(PROJECT, "node_modules"))) {
    if (name !== ".cache") {
      symlinkSync(join(PROJECT, "node_modules", name), join(folder, "node_modules", name));
    }
  }
  return folder;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: false })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

describe("the page", () => {
  it("is built once for the same sources, and again after an edit", async () => {
    const folder = await builtPage(root);
    const { mtimeMs } = statSync(join(folder, "index.html"));
    expect(await builtPage(root)).toBe(folder);
    expect(statSync(join(folder, "index.html")).mtimeMs).toBe(mtimeMs);
    await appendFile(join(root, "services/page/page.css"), "\nbody { margin: 1px; }\n");
    expect(await builtPage(root)).not.toBe(folder);
  });

  it("has one name wherever the project lies, so that an image may build it elsewhere", async () => {
    const other = project();
    try {
      expect(basename(await builtPage(other))).toBe(basename(await builtPage(root)));
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  it("weighs at most 150 KB, packed, with all it loads", async () => {
    const bytes = filesOf(await builtPage(root)).map((path) => gzipSync(readFileSync(path)).length);
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(MOST_BYTES);
  });

  it("asks nobody but its hub, and has no script or style in its text", async () => {
    const html = readFileSync(join(await builtPage(root), "index.html"), "utf8");
    expect(html).toContain('src="./assets/');
    expect(html).not.toMatch(/https?:|<style|style=|<script(?![^>]*\ssrc=)|\son\w+=/);
  });

  it("is refused with the mistake, and leaves nothing half made", async () => {
    await appendFile(join(root, "services/page/main.tsx"), "\nconst = 1;\n");
    await expect(builtPage(root)).rejects.toThrow(/main\.tsx/);
    expect(existsSync(join(root, "node_modules/.cache/unlocked-page"))).toBe(false);
  });

  it("says what it lacks where it cannot be built", () => {
    rmSync(join(root, "node_modules/vite"));
    const script = 'require("./services/hub/build-page.cjs").builtPage()';
    // By the copy, in a process of its own: it looks for packages where it lies.
    const { stderr } = spawnSync(process.execPath, ["-e", script], { cwd: root, encoding: "utf8" });
    expect(stderr).toContain("Cannot build the page: vite does not load");
  });
});
