import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { RunRow } from "../../shared/record/hub-api.ts";
import { RunRecord } from "./run-record.ts";

const MOST_ROWS = 500;
const MOST_READ = 4;

interface Read {
  readonly stamp: string;
  readonly record: RunRecord;
}

/** The runs in a folder, as their files stand; a few are kept in memory until their files change. */
export class Runs {
  readonly #folder: string | undefined;
  readonly #watched: () => RunRecord | undefined;
  readonly #read = new Map<string, Read>();
  readonly #rows = new Map<string, { readonly stamp: string; readonly row: RunRow }>();

  constructor(folder: string | undefined, watched: () => RunRecord | undefined) {
    this.#folder = folder;
    this.#watched = watched;
  }

  /** Newest first; those whose config cannot be read are left out. */
  rows(): RunRow[] {
    const watched = this.#watched();
    const others = this.#ids().filter((id) => id !== watched?.id);
    const rows = others.slice(0, MOST_ROWS).flatMap((id) => this.#row(id) ?? []);
    for (const id of this.#rows.keys()) if (!others.includes(id)) this.#rows.delete(id);
    return [...(watched ? [watched.row(true)] : []), ...rows].toSorted((a, b) =>
      a.startedAt < b.startedAt ? 1 : -1,
    );
  }

  /** `wanted`: an id, or "latest". Undefined where there is no such run. */
  find(wanted: string): RunRecord | undefined {
    const watched = this.#watched();
    if (watched !== undefined && (wanted === "latest" || wanted === watched.id)) return watched;
    const id = wanted === "latest" ? this.#latest() : wanted;
    return id !== undefined && this.#isRun(id) ? this.#recordOf(id) : undefined;
  }

  isWatched(record: RunRecord): boolean {
    // While somebody watches a run, its page's address is in its folder.
    return record === this.#watched() || existsSync(join(record.folder, "dashboard"));
  }

  #latest(): string | undefined {
    try {
      return basename(realpathSync(join(this.#folder ?? "", "latest")));
    } catch {
      return this.#ids()[0];
    }
  }

  #ids(): string[] {
    if (this.#folder === undefined) return [];
    try {
      const ids = readdirSync(this.#folder).filter((name) => name !== "latest" && this.#isRun(name));
      const ages = ids.map((id) => ({ id, at: statSync(join(this.#folder!, id, "config.yaml")).mtimeMs }));
      return ages.toSorted((a, b) => b.at - a.at).map(({ id }) => id);
    } catch {
      return [];
    }
  }

  #isRun(id: string): boolean {
    // One name, and no way out of the folder.
    if (this.#folder === undefined || !/^[\w][\w.-]*$/.test(id)) return false;
    return existsSync(join(this.#folder, id, "config.yaml"));
  }

  #row(id: string): RunRow | undefined {
    const stamp = this.#stampOf(id);
    const known = this.#rows.get(id);
    if (known?.stamp === stamp) return known.row;
    const record = this.#recordOf(id);
    if (record === undefined) return undefined;
    const row = record.row(this.isWatched(record));
    this.#rows.set(id, { stamp, row });
    return row;
  }

  #recordOf(id: string): RunRecord | undefined {
    const stamp = this.#stampOf(id);
    const known = this.#read.get(id);
    if (known?.stamp === stamp) return known.record;
    try {
      const record = RunRecord.read(id, join(this.#folder!, id));
      this.#read.delete(id);
      this.#read.set(id, { stamp, record });
      if (this.#read.size > MOST_READ) this.#read.delete(this.#read.keys().next().value!);
      return record;
    } catch {
      // Not a run that this version understands.
      return undefined;
    }
  }

  #stampOf(id: string): string {
    const names = ["config.yaml", "metrics.ndjson", "events.ndjson", "summary.json", "dashboard"];
    return names.map((name) => stampOf(join(this.#folder!, id, name))).join(" ");
  }
}

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? "-" : `${stats.mtimeMs}/${stats.size}`;
}
