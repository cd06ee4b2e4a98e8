import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSecret } from "../../shared/link/secret.ts";
import type { WorkerName } from "../../shared/record/worker-name.ts";
import { dialHub, type HubDialler, type HubLink } from "../../shared/telemetry/dial-hub.ts";
import { TELEMETRY_PROTOCOL } from "../../shared/telemetry/messages.ts";
import { PendingLines } from "../../shared/telemetry/pending-lines.ts";
import { hubArgumentsOf } from "../hub/hub-options.ts";
import { dashboardNews } from "./news.ts";
import { anyPort, type PortWish } from "./ports.ts";
import { logFile, type RunFolder } from "./run-folder.ts";
import type { Ending, Wish } from "./supervision.ts";
import { secretFile } from "./worker-plan.ts";
import { WorkerProcess } from "./worker-process.ts";

/** How the hub of a run is started. */
export interface HubPlan {
  /** runs/<id> */
  readonly folder: string;
  /** The folder that it is in. */
  readonly runs: string;
  readonly port: number;
  readonly control: boolean;
}

/** The program, and these arguments of a hub's. */
export type HubCommand = (args: readonly string[]) => readonly string[];

const HOST = "127.0.0.1";
const PORT = 7400;
/** How many ports are tried, the wanted one first. */
const PORTS = 20;
const BACKOFF_MS = { first: 500, most: 10_000 };
const STOP_MS = 2_000;

export function hubCommand(program: string): HubCommand {
  const runner = fileURLToPath(new URL("../start/run.cjs", import.meta.url));
  return (args) => [program, runner, "services/hub/main.ts", ...args];
}

function hubArguments({ folder, runs, port, control }: HubPlan): string[] {
  return hubArgumentsOf({
    ...{ record: folder, runs, host: HOST, port, secretFile: secretFile({ folder }), control },
    // Workers on this machine write their own.
    logsElsewhere: true,
    logFormat: "json",
  });
}

/** `wanted`, or the first one after it that is free; any that is where none of those are. */
export function dashboardPorts(wanted = PORT): PortWish {
  if (wanted === 0) return anyPort();
  const after = Array.from({ length: PORTS }, (_, index) => wanted + index);
  return [...after.filter((port) => port < 65_536), ...anyPort()];
}

interface DashboardOptions {
  readonly run: RunFolder;
  readonly plan: HubPlan;
  readonly command: HubCommand;
  readonly pid: number;
  readonly nodeVersion: string;
  readonly say: (line: string) => void;
  /** Somebody on the page wants the run to end. */
  readonly stop: () => void;
  /** Somebody wants one worker to be stopped, or started again. */
  readonly ask: (worker: string, wish: Wish) => void;
}

/**
 * The hub of a run, and what `train` tells it. The run does not depend on it: whenever it dies it is started again,
 * more and more slowly, and nothing waits for it.
 */
export class Dashboard {
  readonly #options: DashboardOptions;
  readonly #unsaid = new PendingLines("train", 0);
  #process: WorkerProcess | undefined;
  #again: NodeJS.Timeout | undefined;
  /** Since it last listened. */
  #deaths = 0;
  #wasSaid = false;
  #dialler: HubDialler | undefined;
  #link: HubLink | undefined;
  #onEnd: (() => void) | undefined;
  #isClosed = false;

  constructor(options: DashboardOptions) {
    this.#options = options;
  }

  /** Once is enough. */
  begin(): void {
    if (this.#process !== undefined || this.#again !== undefined || this.#isClosed) return;
    this.#start();
    this.#dialler ??= this.#dial();
  }

  /** How a worker's process ended. */
  died(worker: WorkerName, ending: Ending): void {
    const text = `${worker}: ${endingText(ending)}`;
    const who = { worker: "train" as const, incarnation: 0, at: Date.now() };
    this.#unsaid.say({ kind: "event", ...who, name: "died", about: worker, text });
    this.#pump();
  }

  /** Resolves when the hub is gone, which takes it a moment at most. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#again);
    this.#dialler?.close();
    const hub = this.#process;
    if (hub !== undefined) {
      const ended = new Promise<void>((resolve) => {
        this.#onEnd = resolve;
      });
      hub.askToStop();
      const impatient = setTimeout(() => hub.kill(), STOP_MS);
      await ended;
      clearTimeout(impatient);
    }
    // It may have been killed.
    for (const name of ["dashboard", "control-token"]) {
      rmSync(join(this.#options.run.path, name), { force: true });
    }
  }

  kill(): void {
    this.#process?.kill();
  }

  #start(): void {
    this.#again = undefined;
    const { command, plan, run } = this.#options;
    try {
      this.#process = new WorkerProcess(command(hubArguments(plan)), logFile(run.path, "hub"), {
        told: (telemetry) => {
          if (telemetry.kind === "listening") this.#listens(telemetry.port);
        },
        ended: (ending) => this.#ended(ending),
      });
    } catch (error) {
      this.#ended({ fault: (error as Error).message });
    }
  }

  #listens(port: number): void {
    this.#deaths = 0;
    if (this.#wasSaid) return;
    this.#wasSaid = true;
    this.#options.say(`dashboard: http://${HOST}:${port}${this.#token()}`);
  }

  #token(): string {
    const { plan } = this.#options;
    if (!plan.control) return "";
    try {
      return `/#token=${readFileSync(join(plan.folder, "control-token"), "utf8").trim()}`;
    } catch {
      return "";
    }
  }

  #ended(ending: Ending): void {
    const hub = this.#process;
    this.#process = undefined;
    if (this.#isClosed) return this.#onEnd?.();
    // Once: a port that stays taken would be told of for as long as the run lasts. The rest is in its log.
    if (this.#deaths === 0) this.#options.say(dashboardNews(ending, hub?.lastWords() ?? []));
    this.#deaths++;
    const full = BACKOFF_MS.first * 2 ** (this.#deaths - 1);
    this.#again = setTimeout(() => this.#start(), Math.min(full, BACKOFF_MS.most));
  }

  #dial(): HubDialler {
    const { plan, run, stop, ask } = this.#options;
    return dialHub({
      url: `ws://${HOST}:${plan.port}`,
      link: run.config.link,
      secret: readSecret(secretFile({ folder: run.path })),
      random: Math.random,
      introduction: this.#introduction(),
      onUp: (link) => {
        this.#link = link;
        this.#unsaid.reconnected();
        this.#pump();
      },
      onAcknowledged: (seq) => {
        this.#unsaid.acknowledged(seq);
        this.#pump();
      },
      onCommand: (command, refusal, worker) => {
        if (!plan.control || refusal !== undefined) return;
        if (worker !== undefined) ask(worker, command === "stop" ? "stop" : "start");
        else if (command === "stop") stop();
      },
      onDown: () => {
        this.#link = undefined;
      },
    });
  }

  #pump(): void {
    while (this.#link !== undefined) {
      const line = this.#unsaid.next();
      if (line === undefined) return;
      this.#link.send(line);
    }
  }

  #introduction() {
    const { run, plan, pid, nodeVersion } = this.#options;
    return {
      kind: "introduction",
      protocol: TELEMETRY_PROTOCOL,
      ...{ run: run.id, worker: "train" as const, incarnation: 0, instance: randomUUID(), pid, port: 0 },
      control: plan.control,
      config: "",
      versions: { node: nodeVersion, kernels: "" },
    } as const;
  }
}

/** As a shell would say it. */
function endingText(ending: Ending): string {
  if ("fault" in ending) return `could not be started (${ending.fault})`;
  if ("code" in ending) return `exit ${ending.code}`;
  const number = constants.signals[ending.signal as NodeJS.Signals];
  return number === undefined ? ending.signal : `exit ${128 + number} (${ending.signal})`;
}
