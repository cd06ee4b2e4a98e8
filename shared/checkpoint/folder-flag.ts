import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder, and the address of the store that it goes to as well, if to any. */
export interface Folder {
  readonly folder: string;
  readonly url: string | undefined;
}

/** `given`: a folder, the address of a store, or one of each. A store alone has a folder among those for passing use. */
export function folderOf(flag: string, given: readonly string[] | undefined, mistakes: string[]): Folder {
  const [url, another] = (given ?? []).filter((each) => each.startsWith("s3://"));
  const [path, second] = (given ?? []).filter((each) => !each.startsWith("s3://"));
  if (given === undefined) mistakes.push(`--${flag} is missing`);
  if (another !== undefined || second !== undefined)
    mistakes.push(
      `--${flag} is given as ${given!.join(" and ")}, expected one folder, one s3://bucket/prefix or both`,
    );
  if (url !== undefined && !/^s3:\/\/[a-z0-9][a-z0-9.-]+(\/|$)/.test(url))
    mistakes.push(`--${flag} is "${url}", expected s3://bucket/prefix`);
  if (path !== undefined || url === undefined) return { folder: path ?? "", url };
  return { folder: join(tmpdir(), "unlocked", encodeURIComponent(url)), url };
}
