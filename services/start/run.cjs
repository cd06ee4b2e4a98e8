// Runs a program of the project from a bundle, made anew whenever its sources or packages are others than before:
// reading hundreds of files of TypeScript takes a process half a second.
// usage: node services/start/run.cjs [services/<name>/main.ts [arguments]]; without a program it says which folder the
// bundle is in.
// Not a module of the language, which takes Node some milliseconds more, for every process that starts.
const { existsSync } = require("node:fs");
const { join, sep } = require("node:path");
const { pathToFileURL } = require("node:url");
const { runBundled } = require("./program.cjs");

require("./engine.cjs");

const root = join(__dirname, "../..");
const shelf = join(root, "node_modules/.cache/unlocked");
const [program] = process.argv.splice(2, 1);

const given = inherited();

if (given && program) run(given, program);
else void start();

/**
 * The bundle of whoever started us: a run goes on with the program that it began with, whatever the files hold by now, and
 * nobody looks at them each time that a worker starts. Undefined where there is none, or none of this project, or newer
 * ones have taken its place.
 */
function inherited() {
  const folder = process.env.UNLOCKED_BUNDLE;
  if (!folder?.startsWith(shelf + sep)) return undefined;
  return existsSync(folder) ? folder : undefined;
}

async function start() {
  if (program === undefined) return void process.stdout.write(`${await newest()}\n`);
  const folder = await newest().catch(sayIsSlow);
  if (folder) {
    process.env.UNLOCKED_BUNDLE = folder;
    return run(folder, program);
  }
  (await import("tsx/esm/api")).register();
  await import(pathToFileURL(join(root, program)).href);
}

/**
 * @param {string} folder
 * @param {string} program
 */
function run(folder, program) {
  runBundled(pathToFileURL(join(folder, program.replace(/\.ts$/, ".cjs"))).href);
}

/** @param {Error} error */
function sayIsSlow({ message }) {
  process.stderr.write(`Starting slowly, from the sources: ${message}\n`);
}

/** The folder of a bundle of the sources as they are. */
async function newest() {
  const { readSources } = await import("./sources.mjs");
  const sources = readSources(root);
  const folder = join(shelf, sources.key);
  if (!existsSync(folder)) await (await import("./bundle.mjs")).bundle(sources, folder);
  return folder;
}
