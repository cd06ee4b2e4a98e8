import { afterEach, beforeEach } from "vitest";
import { HubProcess, newRun, type Stream } from "./hub-process.ts";
import { HubWorker } from "./hub-worker.ts";

/** A run of three layers, and a hub that watches it, both anew for each test of the file that calls this. */
export function hubOfRun(...flags: readonly string[]): HubOfRun {
  const hub = new HubOfRun();
  beforeEach(() => hub.begin(flags));
  afterEach(() => hub.end());
  return hub;
}

class HubOfRun {
  #run!: ReturnType<typeof newRun>;
  #process!: HubProcess;

  /** Of the run. */
  get folder(): string {
    return this.#run.folder;
  }

  get port(): number {
    return this.#process.port;
  }

  begin(flags: readonly string[]): Promise<void> {
    this.#run = newRun();
    return this.start(...flags);
  }

  /** Once more, after it was killed. */
  async start(...flags: readonly string[]): Promise<void> {
    this.#process = await HubProcess.start("--record", this.folder, "--runs", this.#run.runs, ...flags);
  }

  kill(signal?: NodeJS.Signals): Promise<void> {
    return this.#process.kill(signal);
  }

  async end(): Promise<void> {
    await this.kill();
    this.#run.remove();
  }

  get<T>(path: string): Promise<T> {
    return this.#process.get(path);
  }

  stream(): Promise<Stream> {
    return this.#process.stream();
  }

  /** A worker that it has heard. */
  async introduced(worker: string, says: object = {}): Promise<HubWorker> {
    const there = await HubWorker.dial(this.port, { run: "r1", worker, ...says });
    await there.hears("ack");
    return there;
  }
}

/** The lines of an answer of JSON a line. */
export function linesOf<Line>(body: string): Line[] {
  return body
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}
