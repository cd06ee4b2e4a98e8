import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = ["services", "shared", "deploy"];
// What else makes the bundle what it is: the packages as installed, how they are compiled, and who bundles.
const BESIDE = [
  "node_modules/.package-lock.json",
  "tsconfig.json",
  "services/start/bundle.mjs",
  "services/start/engine.cjs",
  "services/start/program.cjs",
  "services/start/run.cjs",
  "services/start/shelf.mjs",
  "services/start/sources.mjs",
];

/**
 * The program as it stands in its files.
 * @typedef {object} Sources
 * @property {string} root the project's folder
 * @property {ReadonlyMap<string, Buffer>} texts by path, in UTF-8
 * @property {string} key the same only for the same texts, packages, folder and engine
 */

/**
 * Throws where a file cannot be read.
 * @param {string} root
 * @returns {Sources}
 */
export function readSources(root) {
  const texts = new Map(FOLDERS.flatMap((folder) => sourcesIn(join(root, folder))));
  const beside = BESIDE.map(
    (path) => /** @type {[string, Buffer]} */ ([path, readFileSync(join(root, path))]),
  );
  const hash = createHash("sha256").update(JSON.stringify([root, process.versions.v8, process.arch]));
  for (const [path, text] of [...texts, ...beside]) {
    // Where a text ends says its length: else two files could hash as two others, cut elsewhere.
    hash.update(JSON.stringify([path, text.length])).update(text);
  }
  return { root, texts, key: hash.digest("hex") };
}

/**
 * @param {string} folder
 * @returns {[path: string, text: Buffer][]}
 */
function sourcesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sourcesIn(path);
      return entry.name.endsWith(".ts") ? [[path, readFileSync(path)]] : [];
    });
}
