import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { answerFile, HttpError } from "./answer.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAKE = `require("./services/hub/build-page.cjs").builtPage().then(console.log);`;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};

/** The page. A process of its own builds it when somebody first asks for it, and takes its memory with it when it ends. */
export class Page {
  readonly #node: string;
  #folder: Promise<string> | undefined;

  /** `node`: the program. */
  constructor(node: string) {
    this.#node = node;
  }

  /** Rejects with an HttpError where there is no such file, or no page. */
  async answer(path: string, response: ServerResponse): Promise<void> {
    const file = this.#fileAt(await this.#built(), path);
    const isNamedByContent = path.startsWith("/assets/");
    await answerFile(response, file, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "cache-control": isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache",
    });
  }

  #fileAt(folder: string, path: string): string {
    const file = normalize(join(folder, path === "/" ? "index.html" : path));
    const isInside = file.startsWith(folder + sep);
    if (isInside && statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
    throw new HttpError(404, "there is nothing here");
  }

  async #built(): Promise<string> {
    this.#folder ??= promisify(execFile)(this.#node, ["-e", MAKE], { cwd: ROOT }).then(({ stdout }) =>
      normalize(stdout.trim()),
    );
    try {
      return await this.#folder;
    } catch (error) {
      this.#folder = undefined;
      throw new HttpError(503, `Cannot build the page: ${(error as Error).message}`);
    }
  }
}
