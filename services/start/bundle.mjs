import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { make } from "./shelf.mjs";

/** Native, or not part of the program: they are loaded from their own folders. */
const LEFT_OUT = ["koffi", "msgpackr-extract", "vite"];

/**
 * In a file of its own: Node reads the source map of every file that a stack goes through, and makes one for each socket
 * that breaks. A layer would stand still for a tenth of a second while it reads the map of all it is made of.
 */
const APART = "ws";

// Packages in CommonJS ask for Node's modules while they run.
const REQUIRE =
  'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);';

/**
 * Makes `folder` from the sources, each services/<name>/main.ts with its packages as services/<name>/main.mjs: the
 * whole of it, on the disk, or nothing. Rejects where a source has a mistake or the folder cannot be written.
 * @param {import("./sources.mjs").Sources} sources
 * @param {string} folder
 */
export async function bundle(sources, folder) {
  await make(folder, async (temporary) => write(await compile(sources, temporary)));
}

/**
 * @param {import("./sources.mjs").Sources} sources
 * @param {string} outdir
 */
async function compile({ root, texts }, outdir) {
  const paths = [...texts.keys()].map((path) => relative(root, path));
  const programs = paths.filter((path) => /^services.[^/\\]+.main\.ts$/.test(path));
  const { outputFiles } = await build({
    entryPoints: [
      ...programs.map((path) => ({ in: path, out: path.replace(/\.ts$/, "") })),
      { in: APART, out: APART },
    ],
    absWorkingDir: root,
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: LEFT_OUT,
    banner: { js: REQUIRE },
    sourcemap: "linked",
    sourcesContent: false,
    // Every process that starts reads all of it. Names stay, for whoever reads a stack.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "silent",
    write: false,
    plugins: [asRead(texts)],
  });
  return outputFiles;
}

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

/** @param {readonly import("esbuild").OutputFile[]} files */
async function write(files) {
  for (const { path } of files) mkdirSync(dirname(path), { recursive: true });
  // Flushed, so that a name never stands for less than its file after a loss of power.
  await Promise.all(files.map(({ path, contents }) => writeFile(path, contents, { flush: true })));
}
