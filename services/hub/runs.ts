import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { runIds } from "../../shared/record/files/run-files.ts";
import type { RunRow } from "../../shared/record/hub-api.ts";
import { RunRecord } from "../../shared/record/run-record.ts";
import { rowOf } from "../../shared/record/run-view.ts";

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
  readonly #now: () => number;
  readonly #read = new Map<string, Read>();
  readonly #rows = new Map<string, { readonly stamp: string; readonly row: RunRow }>();

  constructor(folder: string | undefined, watched: () => RunRecord | undefined, now: () => number) {
    this.#folder = folder;
    this.#watched = watched;
    this.#now = now;
  }

  /** Newest first; those whose config cannot be read are left out. */
  rows(): RunRow[] {
    const watched = this.#watched();
    const others = this.#ids().filter((id) => id !== watched?.id);
    const rows = others.slice(0, MOST_ROWS).flatMap((id) => this.#row(id) ?? []);
    for (const id of this.#rows.keys()) if (!others.includes(id)) this.#rows.delete(id);
    return [...(watched ? [rowOf(watched, "watched")] : []), ...rows].toSorted((a, b) =>
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

  rowOf(record: RunRecord): RunRow {
    // While somebody watches a run, its page's address is in its folder.
    const isWatched = record === this.#watched() || existsSync(join(record.folder, "dashboard"));
    return rowOf(record, isWatched ? "watched" : record.state(this.#now()));
  }

  #latest(): string | undefined {
    try {
      return basename(realpathSync(join(this.#folder ?? "", "latest")));
    } catch {
      return this.#ids()[0];
    }
  }

  #ids(): string[] {
    return this.#folder === undefined ? [] : runIds(this.#folder).filter(isPlain);
  }

  #isRun(id: string): boolean {
    return this.#folder !== undefined && isPlain(id) && existsSync(join(this.#folder, id, "config.yaml"));
  }

  #row(id: string): RunRow | undefined {
    const stamp = this.#stampOf(id);
    const known = this.#rows.get(id);
    // A run that trains now may be gone in a moment without a word.
    if (known?.stamp === stamp && known.row.state !== "training") return known.row;
    const record = this.#recordOf(id);
    if (record === undefined) return undefined;
    const row = this.rowOf(record);
    this.#rows.set(id, { stamp, row });
    return row;
  }

  #recordOf(id: string): RunRecord | undefined {
    const stamp = this.#stampOf(id);
    const known = this.#read.get(id);
    if (known?.stamp === stamp) return known.record;
    try {
      const record = RunRecord.read(join(this.#folder!, id), id);
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

/** One name, and no way out of the folder. */
function isPlain(id: string): boolean {
  return id !== "latest" && /^[\w][\w.-]*$/.test(id);
}

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? "-" : `${stats.mtimeMs}/${stats.size}`;
}
