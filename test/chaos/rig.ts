import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { anyPort, reservePorts } from "../../services/train/ports.ts";
import { createRun, logFile, type RunFolder } from "../../services/train/run-folder.ts";
import type { Note, Outcome } from "../../services/train/supervision.ts";
import { Supervisor } from "../../services/train/supervisor.ts";
import { nodeCommand, planWorkers } from "../../services/train/worker-plan.ts";
import { WorkerProcess } from "../../services/train/worker-process.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import type { Summary } from "../../shared/record/summary.ts";
import type { Progress, Telemetry } from "../../shared/telemetry/telemetry.ts";
import { TcpProxy } from "../support/network/proxy.ts";
import type { LogLine } from "../support/processes/experiment.ts";
import { expectNoLeaks } from "../support/secrets/leaks.ts";
import { LogTail } from "./log-tail.ts";

const RUNNER = fileURLToPath(new URL("../../services/start/run.cjs", import.meta.url));
const LOOK_MS = 10;
const SECRET = "5e".repeat(32);

export interface RigOptions {
  readonly config: string;
  readonly set?: readonly string[];
  /** Of the proxies. */
  readonly seed?: number;
  /** Where the run's folder goes: an empty folder that stays. */
  readonly runs?: string;
}

/**
 * A run of real worker processes, a TcpProxy on every link, under the supervisor of the command line. Whoever dies is
 * started again; `close` ends all of it, searches it for the run's secret, and removes the run's folder.
 */
export class Rig {
  readonly run: RunFolder;
  readonly batches: number;
  /** "source", "layer1", … */
  readonly names: readonly string[];
  /** One for each link: `links[i]` leads from `names[i]` to `names[i + 1]`. */
  readonly links: readonly TcpProxy[];
  /** Where `names[i]` listens. */
  readonly ports: readonly number[];
  readonly outcome: Promise<Outcome>;
  readonly told: Telemetry[] = [];
  readonly notes: Note[] = [];
  readonly #supervisor: Supervisor;
  readonly #pids = new Map<string, number>();
  readonly #progress = new Map<string, Progress>();
  readonly #tails = new Map<string, LogTail>();
  readonly #remove: () => void;
  #isOver = false;

  static async open({ config, set = [], seed = 1, runs }: RigOptions): Promise<Rig> {
    // As workers of the command line have it from the process that starts them.
    process.env.UNLOCKED_BUNDLE ??= bundled();
    const folder = runs ?? mkdtempSync(join(tmpdir(), "chaos-"));
    const run = createRun(folder, loadConfig(config, set).config, new Date());
    // Found only by workers that ask for it.
    writeFileSync(join(run.path, "secret"), `${SECRET}\n`, { mode: 0o600 });
    const ports = await reservePorts(["source", ...run.config.layers].map(anyPort));
    const targets = ports.slice(1).map((target, link) => ({ target, seed: seed * 1000 + link * 100 }));
    const links = await Promise.all(targets.map((target) => TcpProxy.open(target)));
    return new Rig(run, {
      ports,
      links,
      remove: () => !runs && rmSync(folder, { recursive: true, force: true }),
    });
  }

  private constructor(
    run: RunFolder,
    { ports, links, remove }: Pick<Rig, "ports" | "links"> & { readonly remove: () => void },
  ) {
    this.run = run;
    this.batches = run.config.run.batches;
    this.ports = ports;
    this.links = links;
    this.#remove = remove;
    const plans = planWorkers(run.id, run.path, ports);
    this.names = plans.map(({ name }) => name);
    for (const name of this.names) this.#tails.set(name, new LogTail(logFile(run.path, name)));
    const command = nodeCommand(process.execPath);
    this.#supervisor = new Supervisor(
      this.names,
      (name, hearing) => {
        const index = this.names.indexOf(name);
        const plan = { ...plans[index]!, successorPort: links[index]?.port };
        return new WorkerProcess(command(plan), logFile(run.path, name), hearing);
      },
      {
        started: (name, pid) => pid !== undefined && this.#pids.set(name, pid),
        told: (name, telemetry) => this.#hear(name, telemetry),
        noted: (note) => this.notes.push(note),
      },
    );
    this.outcome = this.#supervisor.outcome.then((outcome) => {
      this.#isOver = true;
      return outcome;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get head(): string {
    return this.names.at(-1)!;
  }

  /** Of the life that lives now, or died last. */
  pid(name: string): number {
    return this.#pids.get(name)!;
  }

  /** False if it was gone already. */
  signal(name: string, signal: NodeJS.Signals): boolean {
    try {
      return process.kill(this.pid(name), signal);
    } catch {
      return false;
    }
  }

  /** Where it said it was when it last spoke. */
  progress(name: string): Progress | undefined {
    return this.#progress.get(name);
  }

  /** Where it says it is when it next speaks, half a second from now at most if it is well. */
  async nextProgress(name: string): Promise<Progress> {
    const before = this.#progress.get(name);
    return this.until(`${name} spoke`, () => this.#progress.get(name) !== before && this.#progress.get(name));
  }

  log(name: string): readonly LogLine[] {
    return this.#tails.get(name)!.refresh();
  }

  /** What `look` finds, now or later. Rejects when the run ends before. */
  async until<Found>(what: string, look: () => Found | undefined | false): Promise<Found> {
    for (;;) {
      const isLast = this.#isOver;
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (isLast) throw new RunOver(`the run ended before ${what}: ${await this.#ending()}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** The first line of this worker since `sinceMs` (of the wall clock) that is wanted. */
  says(name: string, sinceMs: number, wanted: (line: LogLine) => boolean): Promise<LogLine> {
    return this.until(`${name} said it`, () => this.saidSince(name, sinceMs).find(wanted));
  }

  saidSince(name: string, sinceMs: number): LogLine[] {
    return this.log(name).filter(({ time }) => Date.parse(time) >= sinceMs);
  }

  /** Resolves when each of them has got on, as it told itself: it tells twice a second. */
  async flows(names: readonly string[] = this.names): Promise<void> {
    const before = new Map(names.map((name) => [name, this.progress(name)?.batch ?? -1]));
    await this.until("everybody got on", () =>
      names.every((name) => (this.progress(name)?.batch ?? -1) > before.get(name)!),
    );
  }

  /** Throws, with what the workers said last, unless the run ends well. */
  async summary(): Promise<Summary> {
    const outcome = await this.outcome;
    if (outcome.kind !== "finished")
      throw new Error(`the run ended: ${JSON.stringify(outcome)}\n${this.story()}`);
    return JSON.parse(readFileSync(join(this.run.path, "summary.json"), "utf8"));
  }

  async #ending(): Promise<string> {
    const outcome = await this.outcome;
    return outcome.kind === "finished"
      ? "it has finished"
      : `${JSON.stringify(this.notes)} ${JSON.stringify(outcome)}\n${this.story()}`;
  }

  /** The last lines of everybody. */
  story(): string {
    return this.names
      .flatMap((name) =>
        this.log(name)
          .slice(-8)
          .map((line) => JSON.stringify(line)),
      )
      .join("\n");
  }

  async close(): Promise<void> {
    for (const name of this.names) this.signal(name, "SIGCONT");
    if (!this.#isOver) this.#supervisor.interrupt("SIGTERM");
    const expired = setTimeout(() => this.#supervisor.killAll(), 5000);
    await this.outcome;
    clearTimeout(expired);
    await Promise.all(this.links.map((link) => link.close()));
    try {
      expectNoLeaks([SECRET], JSON.stringify([this.told, this.notes]), this.run.path);
    } finally {
      this.#remove();
    }
  }

  #hear(name: string, telemetry: Telemetry): void {
    if (telemetry.kind === "progress") this.#progress.set(name, telemetry);
    else this.told.push(telemetry);
  }
}

/** Nothing more will happen in this run. */
export class RunOver extends Error {
  override readonly name = "RunOver";
}

/** Where the programs of the rig are bundled, once they are. */
function bundled(): string {
  for (const program of ["layer", "source", "hub"])
    execFileSync(process.execPath, [RUNNER, `services/${program}/main.ts`, "--help"]);
  return createRequire(RUNNER)("./bundle.cjs").FOLDER;
}
