// Runs a program of the project from a bundle of its sources: to read hundreds of files takes a process half a second.
// usage: node services/start/run.cjs [services/<name>/main.ts [arguments]]
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");
const { bundle, FOLDER, isWhole } = require("./bundle.cjs");

const [source = "services/cli/main.ts"] = process.argv.splice(2, 1);
const program = join(FOLDER, source.replace(/\.ts$/, ".cjs"));

// What a program starts runs from the same bundle, without a look at the sources.
if (process.env.UNLOCKED_BUNDLE === FOLDER && isWhole(program)) run();
else bundle(program).then(run, runSource);

function run() {
  process.env.UNLOCKED_BUNDLE = FOLDER;
  // Node 20 has no cache of what was compiled.
  const { enableCompileCache, flushCompileCache } = /** @type {any} */ (require("node:module"));
  enableCompileCache?.(join(FOLDER, "compiled"));
  process.setSourceMapsEnabled(true);
  require(program);
  flushCompileCache?.();
  // Only now: under other flags, V8 compiles Node's modules and ours anew and takes nothing that was kept.
  require("./engine.cjs");
}

/** @param {Error} error */
async function runSource({ message }) {
  process.stderr.write(`Starting slowly, from the sources: ${message}\n`);
  // @ts-expect-error: Node 20 does not know it, nor how to leave out types.
  if (!process.features.typescript) (await import("tsx/esm/api")).register();
  await import(pathToFileURL(join(__dirname, "../..", source)).href);
}
