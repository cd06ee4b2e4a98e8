import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { compiled } from "./program.cjs";
import { make } from "./shelf.mjs";

/**
 * In a file of its own: Node looks at the stack of each socket that breaks. If that took the source map of the program, a
 * layer would stand still for a tenth of a second while it reads it; stacks of this file are told as they are.
 */
const APART = "ws";

/**
 * Makes `folder` from the sources, each services/<name>/main.ts with its packages as services/<name>/main.cjs, and
 * compiled: the whole of it, on the disk, or nothing. Rejects where a source has a mistake or the folder cannot be written.
 * @param {import("./sources.mjs").Sources} sources
 * @param {string} folder
 */
export async function bundle(sources, folder) {
  await make(folder, async (temporary) => write(await filesOf(sources, { folder, temporary })));
}

/**
 * @param {import("./sources.mjs").Sources} sources
 * @param {{ folder: string, temporary: string }} into the second becomes the first
 * @returns {Promise<File[]>}
 */
async function filesOf({ root, texts }, { folder, temporary }) {
  const paths = [...texts.keys()].map((path) => relative(root, path));
  const programs = paths.filter((path) => /^services.[^/\\]+.main\.ts$/.test(path));
  const { outputFiles } = await build({
    entryPoints: [
      ...programs.map((path) => ({ in: path, out: path.replace(/\.ts$/, "") })),
      { in: APART, out: APART },
    ],
    absWorkingDir: root,
    outdir: temporary,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    // Not modules of the language, for which Node 20 keeps nothing that was compiled.
    format: "cjs",
    platform: "node",
    target: "node20",
    sourcemap: "linked",
    sourcesContent: false,
    logLevel: "silent",
    write: false,
    plugins: [asRead(texts), apart],
  });
  const caches = outputFiles
    .filter(({ path }) => path.endsWith("main.cjs"))
    .map(({ path, text }) => {
      const address = pathToFileURL(join(folder, relative(temporary, path))).href;
      return { path: `${path}.cache`, contents: compiled(text, address) };
    });
  return [...outputFiles, ...caches];
}

/** @type {import("esbuild").Plugin} */
const apart = {
  name: "apart",
  setup(builder) {
    builder.onResolve({ filter: new RegExp(`^${APART}$`) }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: `../../${APART}.cjs`, external: true },
    );
  },
};

/**
 * Gives the texts that the key was made from, whatever the files hold by now, and every module its own address: what
 * it finds beside itself stays where it is.
 * @param {ReadonlyMap<string, Buffer>} texts
 * @returns {import("esbuild").Plugin}
 */
function asRead(texts) {
  return {
    name: "as read",
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const text = texts.get(path)?.toString();
        if (text === undefined) throw new Error(`Cannot bundle ${path}: it is not one of the sources`);
        const address = JSON.stringify(pathToFileURL(path).href);
        return { contents: text.replaceAll("import.meta.url", address), loader: "ts" };
      });
    },
  };
}

/**
 * @typedef {Pick<import("esbuild").OutputFile, "path" | "contents">} File
 * @param {readonly File[]} files
 */
async function write(files) {
  for (const { path } of files) mkdirSync(dirname(path), { recursive: true });
  // Flushed, so that a name never stands for less than its file after a loss of power.
  await Promise.all(files.map(({ path, contents }) => writeFile(path, contents, { flush: true })));
}
