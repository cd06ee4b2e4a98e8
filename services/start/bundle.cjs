const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { dirname, join, relative } = require("node:path");
const { pathToFileURL } = require("node:url");

const ROOT = join(__dirname, "../..");
/** Has services/<name>/main.ts with all it imports as services/<name>/main.cjs, which ends with its key and its hash. */
const FOLDER = join(ROOT, "node_modules/.cache/unlocked");
const INPUTS = ["services", "shared", "deploy", "node_modules/.package-lock.json", "tsconfig.json"];
/** To map packages as well would stop a process for 0.1 s at its first stack, and Node asks for one when a socket breaks. */
const UNMAPPED = `\n//# sourceMappingURL=data:application/json;base64,${btoa('{"version":3,"sources":[""],"mappings":"AAAA"}')}`;

/** Makes the bundle, unless `program` is there, whole and of the sources as they are. @param {string} program */
async function bundle(program) {
  const { texts, key: sources } = read(INPUTS, /\.(ts|cjs)$/);
  // It says where its sources are, so it is of no use in a folder that was moved or copied.
  const key = hashOf(ROOT + sources);
  if (isWhole(program, key)) return;
  const { outputFiles } = await require("esbuild").build({
    entryPoints: [...texts.keys()].filter((path) => /^services.[^/\\]+.main\.ts$/.test(path)),
    ...{ absWorkingDir: ROOT, outdir: FOLDER, outbase: ROOT, outExtension: { ".js": ".cjs" } },
    ...{ bundle: true, format: "cjs", platform: "node", target: "node20", minifyWhitespace: true },
    ...{ sourcemap: "linked", sourcesContent: false, logLevel: "silent", write: false },
    // Read where a picture is: to every other process it is a seventh more to read at its start.
    external: ["sharp"],
    plugins: [{ name: "as read", setup }],
  });
  for (const { path, text } of outputFiles) {
    const keyed = `${text}//${key}`;
    writeWhole(path, path.endsWith(".cjs") ? keyed + hashOf(keyed) : text);
  }

  /** @param {import("esbuild").PluginBuild} build */
  function setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      // What was read, whatever the file holds by now.
      const text = texts.get(relative(ROOT, path))?.toString();
      if (text === undefined) throw new Error(`Cannot bundle ${path}: it is not one of the sources`);
      const address = JSON.stringify(pathToFileURL(path).href);
      return { contents: text.replaceAll("import.meta.url", address), loader: "ts" };
    });
    build.onLoad({ filter: /\.[cm]?js$/ }, ({ path }) => ({ contents: fs.readFileSync(path) + UNMAPPED }));
  }
}

/** Whether it is as it was written: of these sources, or of any. @param {string} program */
function isWhole(program, key = "") {
  if (!fs.existsSync(program)) return false;
  const bytes = fs.readFileSync(program);
  const end = bytes.subarray(-128).toString();
  return end.startsWith(key) && end.endsWith(hashOf(bytes.subarray(0, -64)));
}

/**
 * Files, and those in folders whose names match. `key` is the same only for the same names and texts.
 * @type {(paths: readonly string[], names: RegExp) => { texts: Map<string, Buffer>, key: string }}
 */
function read(paths, names) {
  const files = paths.flatMap((path) => {
    if (fs.statSync(join(ROOT, path)).isFile()) return [path];
    const inside = fs.readdirSync(join(ROOT, path), { recursive: true, encoding: "utf8" }).sort();
    const named = inside.filter((name) => names.test(name)).map((name) => join(path, name));
    return named.filter((file) => fs.statSync(join(ROOT, file)).isFile());
  });
  const texts = new Map(files.map((path) => [path, fs.readFileSync(join(ROOT, path))]));
  return { texts, key: hashOf(JSON.stringify([...texts].map(([path, text]) => [path, hashOf(text)]))) };
}

/** @param {string} path @param {string | Uint8Array} contents */
function writeWhole(path, contents) {
  fs.mkdirSync(dirname(path), { recursive: true });
  // Flushed, so that after a loss of power a name never stands for less than its file.
  fs.writeFileSync(`${path}.${process.pid}`, contents, { flush: true });
  fs.renameSync(`${path}.${process.pid}`, path);
}

/** @param {string | Uint8Array} bytes */
const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex");

module.exports = { bundle, FOLDER, isWhole, read, ROOT, writeWhole };
