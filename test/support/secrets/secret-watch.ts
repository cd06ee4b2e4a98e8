import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expectNoLeaks, filesUnder } from "./leaks.ts";

const LOOK_MS = 20;

/** By folder of runs: those that began there and those that went on, each with a secret of its own. */
const known = new Map<string, Set<string>>();

/** Learns the secrets of the runs in a folder while they last, since they go with them. */
export class SecretWatch {
  readonly #runs: string;
  readonly #secrets: Set<string>;
  readonly #timer: NodeJS.Timeout;

  constructor(runs: string) {
    this.#runs = runs;
    this.#secrets = known.get(runs) ?? new Set();
    known.set(runs, this.#secrets);
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Now, beside every 20 ms. */
  look(): void {
    for (const run of namesIn(this.#runs)) {
      const secret = secretIn(join(this.#runs, run));
      if (secret !== undefined) this.#secrets.add(secret);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Throws if a secret of these runs stands in what was said or in a file of theirs; or if workers had one that nobody saw. */
  expectNone(said: string): void {
    const hadWorkers = namesIn(this.#runs).length > 0 && filesUnder(this.#runs).some(isLogOfWorker);
    if (hadWorkers) expectNoLeaks([...this.#secrets], said, this.#runs);
  }
}

/** A run that never came to start its workers has neither secret nor logs. */
function isLogOfWorker(path: string): boolean {
  return path.endsWith(".log") && readFileSync(path, "utf8").includes('"started"');
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whole, or not yet. */
function secretIn(run: string): string | undefined {
  try {
    const secret = readFileSync(join(run, "secret"), "utf8").trim();
    return secret.length >= 16 ? secret : undefined;
  } catch {
    return undefined;
  }
}
