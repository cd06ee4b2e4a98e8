const { readFileSync } = require("node:fs");
const { createRequire, SourceMap } = require("node:module");
const { dirname, isAbsolute, resolve } = require("node:path");
const { fileURLToPath } = require("node:url");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

/**
 * What V8 makes of the text of a program, for whoever runs it later. Every function is compiled: left to when they are
 * called, a process that starts compiles most of them for itself.
 * @param {string} text a module in CommonJS
 * @param {string} address of the file that it will run from: it is kept for stacks
 * @returns {Buffer}
 */
function compiled(text, address) {
  const script = whileEager(() => scriptOf(text, { filename: address }));
  // Only now, as V8 takes it from no process with other flags than at this moment.
  return script.createCachedData();
}

/**
 * Runs a program of a bundle. Throws where it cannot be read, and what the program throws.
 * @param {string} address of the file
 */
function runBundled(address) {
  placeStacks(address);
  const module = { exports: {} };
  load(address).runInThisContext()(createRequire(address), module, module.exports);
}

/**
 * With the `.cache` beside it, which V8 rejects if a V8 of another version or with other flags made it. Throws where one
 * of them cannot be read.
 * @param {string} address
 */
function load(address) {
  return scriptOf(readFileSync(new URL(address), "utf8"), {
    filename: address,
    cachedData: readFileSync(new URL(`${address}.cache`)),
  });
}

/**
 * @param {string} text
 * @param {import("node:vm").ScriptOptions} options
 */
function scriptOf(text, options) {
  return new Script(`(function (require, module, exports) {${text}\n})`, options);
}

/**
 * @template T
 * @param {() => T} make
 * @returns {T}
 */
function whileEager(make) {
  setFlagsFromString("--no-lazy");
  try {
    return make();
  } finally {
    setFlagsFromString("--lazy");
  }
}

/**
 * Stacks say where the sources are that the program was made of. Node would read the map of every program that starts;
 * here it is read when there is a stack of the program's to tell. Not for one of a package with a file of its own: see
 * APART in bundle.mjs.
 * @param {string} address
 */
function placeStacks(address) {
  /** @type {SourceMap | null | undefined} */
  let map;
  /** @param {NodeJS.CallSite} site */
  const placed = (site) => {
    const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
    if (site.getFileName() !== address || line === null || column === null) return `${site}`;
    if (map === undefined) map = mapOf(address);
    const entry = map?.findEntry(line - 1, column - 1);
    if (!entry || !("originalSource" in entry)) return `${site}`;
    // Not a URL: whoever made the map has escaped nothing.
    const source = resolve(dirname(fileURLToPath(address)), entry.originalSource);
    const place = `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    return `${site}`.replace(`${address}:${line}:${column}`, () => place);
  };
  Error.prepareStackTrace = (error, trace) => {
    const thrower = trace.map((site) => site.getFileName()).find(isFile);
    const told = thrower === address ? placed : String;
    return [headOf(error), ...trace.map((site) => `    at ${told(site)}`)].join("\n");
  };
}

/**
 * Null where it cannot be read, as when newer bundles have taken this one's place: to ask for a stack never fails.
 * @param {string} address
 */
function mapOf(address) {
  try {
    return new SourceMap(JSON.parse(readFileSync(new URL(`${address}.map`), "utf8")));
  } catch {
    return null;
  }
}

/**
 * Neither Node's own, nor built into the language, nor WebAssembly.
 * @param {string | null | undefined} name
 */
function isFile(name) {
  return typeof name === "string" && (isAbsolute(name) || name.startsWith("file:"));
}

/**
 * As Node has it: with the code, of errors of its own.
 * @param {Error & { code?: unknown }} error
 */
function headOf(error) {
  try {
    const { name, code, message } = error;
    if (typeof code === "string" && code.startsWith("ERR_")) return `${name} [${code}]: ${message}`;
    return Error.prototype.toString.call(error);
  } catch {
    // Its name or message is a getter that throws.
    return "<error>";
  }
}

module.exports = { compiled, load, runBundled };
