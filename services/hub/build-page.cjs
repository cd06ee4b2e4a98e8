const { existsSync, readdirSync, rmSync, statSync } = require("node:fs");
const { join } = require("node:path");
const { read, ROOT, writeWhole } = require("../start/bundle.cjs");

const FOLDER = join(ROOT, "node_modules/.cache/unlocked-page");
// Not the packages as installed: an image builds the page with packages that it does not keep.
const INPUTS = ["services/page", "shared/record", "package-lock.json", "services/hub/build-page.cjs"];

/** How many are kept: another run may show an older one. */
const MOST = 4;

/**
 * The folder with index.html and what it asks for, built where the sources are others than before. Rejects where a source
 * has a mistake, the folder cannot be written, or vite is wanted and not installed.
 * @returns {Promise<string>}
 */
async function builtPage() {
  const { key } = read(INPUTS, /./);
  const folder = join(FOLDER, key);
  if (existsSync(join(folder, "index.html"))) return folder;
  const { build } = await import("vite").catch(({ message }) => {
    throw new Error(`Cannot build the page: vite does not load, it comes with \`npm ci\` (${message})`);
  });
  const built = await build({
    ...{ root: join(ROOT, "services/page"), configFile: false, envFile: false, publicDir: false },
    // Under whatever path a proxy puts the hub.
    ...{ base: "./", logLevel: "silent" },
    // The page's policy allows no image in its text, and no script.
    build: { write: false, assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: "es2023" },
  });
  const { output } = /** @type {import("vite").Rolldown.RolldownOutput} */ (built);
  // Last, as it says that all of it is there.
  output.sort((one) => (one.fileName === "index.html" ? 1 : -1));
  for (const file of output) {
    writeWhole(join(folder, file.fileName), file.type === "chunk" ? file.code : file.source);
  }
  const all = readdirSync(FOLDER).map((name) => join(FOLDER, name));
  const byAge = all.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  for (const old of byAge.slice(MOST)) rmSync(old, { recursive: true, force: true });
  return folder;
}

module.exports = { builtPage };
