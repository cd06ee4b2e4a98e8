import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import type { ObjectStore } from "../../shared/checkpoint/object-store.ts";
import { openStore } from "../../shared/checkpoint/open-disk.ts";
import type { S3Environment } from "../../shared/checkpoint/s3-store.ts";
import type { HubOptions } from "./hub-options.ts";
import { writeWhole } from "./write-whole.ts";

/** What a hub writes of a run, and so takes to the store; logs/ too. */
const OURS = ["config.yaml", "metrics.ndjson", "events.ndjson", "metrics.csv"];
/** What the source takes there. */
const THEIRS = ["started", "summary.json"];
const LOGS = "logs";

const EVERY_MS = 5000;
/** Files only grow: the larger one is, the longer it waits for its turn. */
const MS_A_MEGABYTE = 2000;

/** Undefined where the record has no store. What the store has of it, and this machine has not, is here when it resolves. */
export async function openMirror(
  { record, recordUrl }: HubOptions,
  environment: S3Environment,
  log: Logger,
): Promise<RecordMirror | undefined> {
  if (record === undefined || recordUrl === undefined) return undefined;
  const store = await openStore(recordUrl, environment, (why) => log.warn(why.message));
  const mirror = new RecordMirror(record, store, log);
  await mirror.bringAll();
  return mirror;
}

/**
 * A run's record in a store: what the hub writes goes there every few seconds, what the source put there comes here. So
 * a hub on another node goes on with the same record; it may lack the last seconds.
 */
export class RecordMirror {
  readonly #folder: string;
  readonly #store: ObjectStore;
  readonly #log: Logger;
  /** Of each file: how it was when it went last, and when that was. */
  readonly #sent = new Map<string, { readonly stamp: string; readonly at: number }>();
  readonly #timer: NodeJS.Timeout;
  #work: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(folder: string, store: ObjectStore, log: Logger) {
    this.#folder = folder;
    this.#store = store;
    this.#log = log;
    this.#timer = setInterval(() => this.#next(false), EVERY_MS);
  }

  async bringAll(): Promise<void> {
    const logs = (await this.#store.list(LOGS)).map((name) => `${LOGS}/${name}`);
    await this.#bring([...(await this.#store.list("")).filter((name) => isOfRecord(name)), ...logs]);
  }

  /** Once more, whatever the pace. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#next(true);
    await this.#work;
  }

  #next(isLast: boolean): void {
    this.#work = this.#work.then(() => this.#exchange(isLast));
  }

  async #exchange(isLast: boolean): Promise<void> {
    try {
      for (const name of this.#own()) await this.#send(name, isLast);
      await this.#bring((await this.#store.list("")).filter((name) => THEIRS.includes(name)));
      if (this.#isFailing) this.#log.info("the record gets to its store again");
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#log.error({ err: error }, "the record does not get to its store");
      this.#isFailing = true;
    }
  }

  #own(): string[] {
    const folder = join(this.#folder, LOGS);
    const logs = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".log")) : [];
    return [
      ...OURS.filter((name) => existsSync(join(this.#folder, name))),
      ...logs.map((name) => `${LOGS}/${name}`),
    ];
  }

  async #send(name: string, isLast: boolean): Promise<void> {
    const path = join(this.#folder, name);
    const { size, mtimeMs } = statSync(path);
    const stamp = `${size} ${mtimeMs}`;
    const before = this.#sent.get(name);
    const isDue = isLast || !before || Date.now() - before.at > (size / 2 ** 20) * MS_A_MEGABYTE;
    if (before?.stamp === stamp || !isDue) return;
    await this.#store.put(name, readFileSync(path));
    this.#sent.set(name, { stamp, at: Date.now() });
  }

  /** Those that are not here. */
  async #bring(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const path = join(this.#folder, name);
      if (existsSync(path)) continue;
      mkdirSync(dirname(path), { recursive: true });
      writeWhole(path, Buffer.from(await this.#store.get(name)).toString("utf8"));
    }
  }
}

function isOfRecord(name: string): boolean {
  return OURS.includes(name) || THEIRS.includes(name);
}
