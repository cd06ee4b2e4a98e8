import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = ["services", "shared"];
// What else makes the bundle what it is: the packages as installed, how they are compiled, and who bundles.
const BESIDE = [
  "node_modules/.package-lock.json",
  "tsconfig.json",
  "services/start/bundle.mjs",
  "services/start/shelf.mjs",
  "services/start/sources.mjs",
];

/**
 * The program as it stands in its files.
 * @typedef {object} Sources
 * @property {string} root the project's folder
 * @property {ReadonlyMap<string, string>} texts by path
 * @property {string} key the same only for the same texts, packages and folder
 */

/**
 * Throws where a file cannot be read.
 * @param {string} root
 * @returns {Sources}
 */
export function readSources(root) {
  const texts = new Map(FOLDERS.flatMap((folder) => sourcesIn(join(root, folder))));
  const beside = BESIDE.map((path) => readFileSync(join(root, path), "utf8"));
  const all = JSON.stringify([root, [...texts], beside]);
  return { root, texts, key: createHash("sha256").update(all).digest("hex") };
}

/**
 * @param {string} folder
 * @returns {[path: string, text: string][]}
 */
function sourcesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sourcesIn(path);
      return entry.name.endsWith(".ts") ? [[path, readFileSync(path, "utf8")]] : [];
    });
}
