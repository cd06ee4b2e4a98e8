// Builds the page of the hub where its sources are others than before, and says in which folder it is.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { make } from "./shelf.mjs";

const PAGE = "services/page";
// What else makes the page what it is: what it shares with the workers, its packages, and who builds it. Neither the
// project's folder nor the packages as installed: an image builds it with packages that it does not keep.
const BESIDE = ["shared/record", "package-lock.json", "services/start/page.mjs"];

/**
 * The folder with index.html and what it asks for, all of it on the disk. Rejects where a source has a mistake, the folder
 * cannot be written, or vite is wanted and not installed.
 * @param {string} root the project's folder
 * @returns {Promise<string>}
 */
export async function builtPage(root) {
  const folder = join(root, "node_modules/.cache/unlocked-page", keyOf(root));
  if (!existsSync(folder)) await make(folder, (temporary) => build(root, temporary));
  return folder;
}

/** @param {string} root */
function keyOf(root) {
  const files = [PAGE, ...BESIDE].flatMap((path) => filesAt(join(root, path)));
  const all = files.map((path) => [
    relative(root, path).replaceAll("\\", "/"),
    readFileSync(path).toString("latin1"),
  ]);
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 32);
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesAt(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesAt(join(path, name)));
}

/**
 * @param {string} root
 * @param {string} outDir
 */
async function build(root, outDir) {
  const { build } = await vite();
  await build({
    root: join(root, PAGE),
    configFile: false,
    envFile: false,
    // Under whatever path a proxy puts the hub.
    base: "./",
    publicDir: false,
    logLevel: "silent",
    build: {
      outDir,
      emptyOutDir: false,
      // The page's policy allows no image in its text, and no script.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: "es2023",
    },
  });
}

/** @returns {Promise<typeof import("vite")>} */
async function vite() {
  try {
    return await import("vite");
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new Error(`Cannot build the page: vite does not load, it comes with \`npm ci\` (${message})`);
  }
}
