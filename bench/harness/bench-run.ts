import { secretFile } from "../../services/train/worker-plan.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import type { Conditions } from "../../test/support/network/lane.ts";
import { TcpProxy } from "../../test/support/network/proxy.ts";
import { DirectRun, type Surroundings } from "../../test/support/processes/direct-run.ts";
import { HubProcess } from "../../test/support/processes/hub-process.ts";
import type { Worker } from "../../test/support/processes/worker-process.ts";
import { median } from "./statistics.ts";

interface RunRequest {
  readonly config: string;
  readonly set: readonly string[];
  /** Every link through a proxy of its own that treats both directions so; without, links are direct. */
  readonly conditions?: Partial<Conditions>;
  readonly command?: Surroundings["command"];
  /** With a hub that they tell of themselves, and that keeps their record. */
  readonly isWatched?: boolean;
}

/** The same processes as `npm start` has, with nothing over them, and what they told. */
export class BenchRun {
  readonly proxies: TcpProxy[] = [];
  readonly direct: DirectRun;
  readonly layers: number;
  hub: HubProcess | undefined;
  /** Rejects when a worker ends badly while it is wanted. */
  #failed: Promise<never> = new Promise(() => {});

  /** Resolves when all of them listen. */
  static async start(request: RunRequest): Promise<BenchRun> {
    const run = new BenchRun(request);
    try {
      if (request.isWatched) await run.#beWatched();
      await run.direct.startAll();
    } catch (error) {
      await run.close();
      throw error;
    }
    run.#failed = Promise.race(run.#names.map((name) => endsBadly(run.direct.worker(name))));
    // Nobody may be waiting when it happens, as when all are killed at the end.
    run.#failed.catch(() => {});
    return run;
  }

  private constructor({ config, set, conditions, command }: RunRequest) {
    this.layers = loadConfig(config, set).config.layers.length;
    const door = async (_: string, target: number) => {
      const proxy = await TcpProxy.open({ target, conditions: conditions ?? {} });
      this.proxies.push(proxy);
      return proxy.port;
    };
    this.direct = new DirectRun(config, this.layers, set, "bench", {
      ...(conditions ? { door } : {}),
      ...(command ? { command } : {}),
    });
  }

  async #beWatched(): Promise<void> {
    const { folder, run, config, set } = this.direct;
    const overrides = set.flatMap((assignment) => ["--set", assignment]);
    const secret = ["--secret-file", secretFile(this.direct)];
    this.hub = await HubProcess.start(
      ...["--record", folder, "--run", run, "--config", config, ...overrides, ...secret],
    );
    this.direct.hub = { port: this.hub.port, control: false };
  }

  get #names(): string[] {
    return ["source", ...Array.from({ length: this.layers }, (_, index) => `layer${index + 1}`)];
  }

  get head(): Worker {
    return this.direct.worker(`layer${this.layers}`);
  }

  /** Of the source and all layers. */
  get pids(): number[] {
    return this.#names.map((name) => this.direct.worker(name).pid!);
  }

  worker(layer: number): Worker {
    return this.direct.worker(`layer${layer}`);
  }

  /** The first report of the head that is wanted, heard already or yet to come. Rejects if any worker fails before. */
  headTells(wanted: (telemetry: Telemetry) => boolean): Promise<Worker["told"][number]> {
    return Promise.race([this.head.tells(wanted), this.#failed]);
  }

  /** What the head has reported last. */
  get latest(): Worker["told"][number] {
    return this.head.told.findLast(({ telemetry }) => telemetry.kind === "progress")!;
  }

  /** Batches a second of the head, over at least `ms` from the batch `from` on; half a second is the grain. */
  async rate(from: number, ms: number): Promise<number> {
    const first = await this.headTells((told) => cursorOf(told) >= from);
    await sleep(ms);
    const after = cursorOf(first.telemetry);
    await this.headTells((told) => cursorOf(told) > after);
    const { at, telemetry } = this.latest;
    return (1000 * (cursorOf(telemetry) - after)) / (at - first.at);
  }

  /** What the hidden layers reported after their first second, in the middle. */
  get staleness(): number {
    const reports = Array.from({ length: this.layers - 1 }, (_, index) => this.worker(index + 1).told);
    return median(
      reports.flatMap((told) => told.flatMap(({ telemetry }) => stalenessOf(telemetry)).slice(2)),
    );
  }

  /** Bytes that passed the proxies, both ways. */
  get bytesPassed(): number {
    return this.proxies.reduce((sum, { passed }) => sum + passed.forward + passed.back, 0);
  }

  async close(): Promise<void> {
    // The hub first: it must not write into a folder that is being removed.
    await this.hub?.kill();
    await this.direct.close();
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
  }
}

/** The highest batch applied, by a report; −1 before the first. */
export function cursorOf(telemetry: Telemetry): number {
  return telemetry.kind === "progress" ? telemetry.batch : -1;
}

function stalenessOf(telemetry: Telemetry): number[] {
  return telemetry.kind === "progress" && telemetry.staleness !== undefined ? [telemetry.staleness] : [];
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function endsBadly(worker: Worker): Promise<never> {
  const code = await worker.ended;
  // One that finished is no trouble.
  if (code === 0) return new Promise(() => {});
  throw new Error(`${worker.name} ended with ${code}`);
}
