// Runs a program of the project from a bundle, made anew whenever its sources or packages are others than before:
// reading hundreds of files of TypeScript takes a process half a second.
// usage: node services/start/run.mjs [services/<name>/main.ts [arguments]]; without a program it only makes the bundle.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { readSources } from "./sources.mjs";

// What is young here dies young: buffers of frames, outside the heap and freed when it is collected. Left to grow, the
// place for the young lets tens of megabytes of them wait. Measured: a layer of 134 MB has 93 MB, and is no slower.
setFlagsFromString("--semi-space-growth-factor=1");

const root = join(import.meta.dirname, "../..");
const [program] = process.argv.splice(2, 1);

if (program === undefined) await bundled();
else {
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(await startable(program)).href);
}

/** @param {string} program */
async function startable(program) {
  try {
    return join(await bundled(), program.replace(/\.ts$/, ".mjs"));
  } catch (error) {
    process.stderr.write(`Starting slowly, from the sources: ${/** @type {Error} */ (error).message}\n`);
    (await import("tsx/esm/api")).register();
    return join(root, program);
  }
}

/** The folder of a bundle of the sources as they are. */
async function bundled() {
  const sources = readSources(root);
  const folder = join(root, "node_modules/.cache/unlocked", sources.key);
  if (!existsSync(folder)) await (await import("./bundle.mjs")).bundle(sources, folder);
  return folder;
}
