import { createHash } from "node:crypto";
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataFileError } from "../data-file.ts";
import { readCache, writeCache } from "./image-cache.ts";
import { decodeImage } from "./image-file.ts";

/** Pictures by class: a folder each. */
export interface ImageFolders {
  readonly classes: readonly string[];
  /** In the order of the classes, and within one of its names. */
  readonly files: readonly { readonly path: string; readonly class: number }[];
}

export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly fit: "crop" | "stretch";
}

const IMAGE = /\.(png|jpe?g)$/i;
const MOST_BYTES = 2 ** 31 - 1;
const MOST_CLASSES = 256;
/** Decoded side by side. */
const AT_ONCE = 8;

/** Throws a DataFileError for a folder that is none, has no classes, or a class without pictures. */
export function listImages(folder: string): ImageFolders {
  const entries = entriesOf(folder);
  const classes = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (classes.length < 2) {
    const loose = entries.some(({ name }) => IMAGE.test(name)) ? ", its pictures lie side by side" : "";
    throw new DataFileError(
      `Cannot use ${folder}: it has ${classes.length} folders${loose}; expected a folder for each class, two or more`,
    );
  }
  if (classes.length > MOST_CLASSES)
    throw new DataFileError(
      `Cannot use ${folder}: it has ${classes.length} folders, at most ${MOST_CLASSES}`,
    );
  const files = classes.flatMap((name, index) => {
    const own = entriesOf(join(folder, name)).filter((entry) => IMAGE.test(entry.name));
    if (own.length === 0)
      throw new DataFileError(
        `Cannot use ${join(folder, name)}: it has no PNG or JPEG, so the class is empty`,
      );
    return own.map((entry) => ({ path: join(folder, name, entry.name), class: index }));
  });
  return { classes, files };
}

/** By name; what begins with a dot is left out. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith("."))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "no such folder" : code === "ENOTDIR" ? "it is no folder" : code;
    throw new DataFileError(`Cannot read ${folder}: ${why}`, { cause });
  }
}

/**
 * The pixels of all files, one after another, from the cache or decoded: that of a folder is told by its files' names, sizes and
 * times. Rejects with a DataFileError that names the picture.
 */
export async function readImages(
  { files }: ImageFolders,
  shape: ImageShape,
  cache: string,
): Promise<Uint8Array> {
  const pixels = shape.height * shape.width * shape.channels;
  const total = pixels * files.length;
  if (total > MOST_BYTES)
    throw new DataFileError(
      `Cannot use ${files.length} images of ${pixels} bytes: ${total} bytes together, at most ${MOST_BYTES}`,
    );
  const path = join(cache, `images-${keyOf(files, shape)}`);
  const kept = readCache(path, total);
  if (kept) return kept;
  const all = new Uint8Array(total);
  for (let from = 0; from < files.length; from += AT_ONCE)
    await Promise.all(
      files.slice(from, from + AT_ONCE).map(async ({ path: file }, index) => {
        all.set(await decoded(file, shape), (from + index) * pixels);
      }),
    );
  writeCache(path, all);
  return all;
}

async function decoded(file: string, shape: ImageShape): Promise<Uint8Array> {
  try {
    return await decodeImage(file, shape, shape.fit);
  } catch (cause) {
    throw new DataFileError((cause as Error).message, { cause });
  }
}

function keyOf(files: ImageFolders["files"], shape: ImageShape): string {
  const hash = createHash("sha256").update(JSON.stringify(shape));
  for (const { path } of files) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`\n${JSON.stringify([path, size, mtimeMs])}`);
  }
  return hash.digest("hex").slice(0, 32);
}
