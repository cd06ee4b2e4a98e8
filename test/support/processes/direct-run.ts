import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  planWorkers,
  secretFile,
  type WorkerPlan,
  workerArguments,
} from "../../../services/train/worker-plan.ts";
import type { Summary } from "../../../shared/record/summary.ts";
import { expectNoLeaks } from "../secrets/leaks.ts";
import type { LogLine } from "./experiment.ts";
import { Worker } from "./worker-process.ts";

/** A run whose workers a test starts, kills and starts again one by one. Ports are given by the system, from the head on. */
export class DirectRun {
  /** All its workers have it. */
  readonly secret = "what the workers of this run know";
  readonly folder = mkdtempSync(join(tmpdir(), "unlocked-direct-"));
  readonly run: string;
  readonly config: string;
  readonly set: readonly string[];
  readonly #layers: number;
  readonly #around: Surroundings;
  readonly #ports = new Map<string, number>();
  /** Where predecessors dial. */
  readonly #doors = new Map<string, number>();
  readonly #workers: Worker[] = [];
  /** Whom workers started from now on tell of themselves, if anybody. */
  hub: WorkerPlan["hub"];

  constructor(
    config: string,
    layers: number,
    set: readonly string[] = [],
    run = "a-run",
    around: Surroundings = {},
  ) {
    this.#around = around;
    this.config = config;
    this.#layers = layers;
    this.set = set;
    this.run = run;
    writeFileSync(secretFile(this), this.secret);
  }

  /** All that are not there yet, the head first. */
  async startAll(): Promise<void> {
    for (let layer = this.#layers; layer >= 0; layer--) {
      const name = layer === 0 ? "source" : `layer${layer}`;
      if (!this.#ports.has(name)) await this.start(name);
    }
  }

  /** A new life, where it listened before. Changes stand in for what it would be told; resolves when it listens. */
  async start(name: string, changes: Changes = {}): Promise<Worker> {
    const worker = this.launch(name, changes);
    const port = await worker.port();
    this.#ports.set(name, port);
    this.#doors.set(name, (await this.#around.door?.(name, port)) ?? port);
    return worker;
  }

  /** The same without waiting, for those that never come to listen or should not be found by others. */
  launch(name: string, { run = this.run, state = name, port, set = this.set }: Changes = {}): Worker {
    const names = ["source", ...Array.from({ length: this.#layers }, (_, index) => `layer${index + 1}`)];
    const own = port ?? this.#ports.get(name) ?? 0;
    const ports = names.map((each) => (each === name ? own : (this.#doors.get(each) ?? 0)));
    const plan = planWorkers(run, this.folder, ports, { hub: this.hub }).find((each) => each.name === name)!;
    const args = workerArguments(plan);
    args[args.indexOf("--config") + 1] = this.config;
    args[args.indexOf("--state") + 1] = this.state(state);
    mkdirSync(this.state(state), { recursive: true });
    const flags = [...args, ...set.flatMap((assignment) => ["--set", assignment])];
    const worker = new Worker(name, flags, this.#around.command?.(name));
    this.#workers.push(worker);
    return worker;
  }

  port(name: string): number {
    return this.#ports.get(name)!;
  }

  state(name: string): string {
    return join(this.folder, "checkpoints", name);
  }

  /** The newest life. */
  worker(name: string): Worker {
    return this.#workers.findLast((worker) => worker.name === name)!;
  }

  /** What all processes of it have said by a message. */
  said(name: string, message: string): LogLine[] {
    return this.#workers.filter((worker) => worker.name === name).flatMap((worker) => worker.said(message));
  }

  /** When the source has ended; throws unless it ended well. */
  async summary(): Promise<Summary> {
    const code = await this.worker("source").ended;
    if (code !== 0) throw new Error(`the source ended with ${code}`);
    return JSON.parse(readFileSync(join(this.folder, "summary.json"), "utf8"));
  }

  /** Rejects, once all is gone, if its secret stands in a file, or in what a worker said or told. */
  async close(): Promise<void> {
    for (const worker of this.#workers) worker.signal("SIGKILL");
    await Promise.all(this.#workers.map((worker) => worker.ended));
    const said = this.#workers.map(({ lines, told, stderr }) => JSON.stringify([lines, told]) + stderr);
    try {
      expectNoLeaks([this.secret], said.join("\n"), this.folder);
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

export interface Changes {
  readonly run?: string;
  /** Another folder for what must outlive it. */
  readonly state?: string;
  readonly port?: number;
  readonly set?: readonly string[];
}

/** What may be otherwise than for a user. */
export interface Surroundings {
  /** The port by which its predecessor reaches a worker that listens on `port`: that of a proxy, say. */
  readonly door?: (name: string, port: number) => Promise<number>;
  /** What Node is to run, and with which options of its own. */
  readonly command?: (name: string) => readonly string[] | undefined;
}
