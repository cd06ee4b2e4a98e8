import { loadConfig } from "../../shared/run/read-config.ts";
import type { Telemetry } from "../../shared/run/telemetry.ts";
import { DirectRun, type Surroundings } from "../../test/support/direct-run.ts";
import type { Conditions } from "../../test/support/lane.ts";
import { TcpProxy } from "../../test/support/proxy.ts";
import type { Worker } from "../../test/support/worker-process.ts";
import { median } from "./statistics.ts";

export interface RunRequest {
  readonly config: string;
  readonly set: readonly string[];
  /** Every link through a proxy of its own that treats both directions so; without, links are direct. */
  readonly conditions?: Partial<Conditions>;
  readonly command?: Surroundings["command"];
}

/** The same processes as `npm start` has, with nothing over them, and what they told. */
export class BenchRun {
  readonly proxies: TcpProxy[] = [];
  readonly direct: DirectRun;
  readonly layers: number;

  /** Resolves when all of them listen. */
  static async start(request: RunRequest): Promise<BenchRun> {
    const run = new BenchRun(request);
    await run.direct.startAll();
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

  get head(): Worker {
    return this.direct.worker(`layer${this.layers}`);
  }

  worker(layer: number): Worker {
    return this.direct.worker(`layer${layer}`);
  }

  /** Batches a second of the head, over at least `ms` from the batch `from` on; half a second is the grain. */
  async rate(from: number, ms: number): Promise<number> {
    const first = await this.head.tells((told) => cursorOf(told) >= from);
    await sleep(ms);
    const last = this.head.told.findLast(({ telemetry }) => telemetry.kind === "progress")!;
    const { at, telemetry } = last === first ? await this.#nextAfter(last) : last;
    return (1000 * (cursorOf(telemetry) - cursorOf(first.telemetry))) / (at - first.at);
  }

  async #nextAfter(told: Worker["told"][number]): Promise<Worker["told"][number]> {
    const after = cursorOf(told.telemetry);
    await this.head.tells((telemetry) => cursorOf(telemetry) > after);
    return this.head.told.findLast(({ telemetry }) => telemetry.kind === "progress")!;
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
