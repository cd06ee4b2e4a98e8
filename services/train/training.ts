import { appendFileSync } from "node:fs";
import { askHub } from "../../shared/record/ask-hub.ts";
import { createLog } from "../../shared/record/log.ts";
import { RunRecord } from "../../shared/record/run-record.ts";
import { readSummary } from "../../shared/record/summary.ts";
import { isWorkerName } from "../../shared/record/worker-name.ts";
import {
  newBoard,
  onDeath,
  onForeign,
  onHub,
  onStart,
  onStop,
  onTelemetry,
  onTick,
  slowestCursor,
} from "./board.ts";
import { Dashboard, dashboardPorts, type HubPlan } from "./dashboard.ts";
import { type Display, liveDisplay, plainDisplay, silentDisplay } from "./display.ts";
import type { Edges } from "./edges.ts";
import { foreignNews, foreignOf, withForeign } from "./foreign.ts";
import { LiveEvents } from "./live-events.ts";
import { alarmNews, closingNews, failureNews, noteNews, stopNews, testNews } from "./news.ts";
import { colours } from "./paint.ts";
import { anyPort, reservePorts } from "./ports.ts";
import { isLatest, logFile, type RunFolder } from "./run-folder.ts";
import type { Note, Outcome, StopSignal } from "./supervision.ts";
import { Supervisor, type Witness } from "./supervisor.ts";
import { joinTrace } from "./trace.ts";
import type { TrainRequest } from "./train-request.ts";
import { planWorkers, type WorkerPlan } from "./worker-plan.ts";
import { WorkerProcess } from "./worker-process.ts";

const DEFAULT_RUNS = "runs";
const REDRAW_MS = 200;
const ASK_MS = 1_000;
/** The dashboard comes after the first update, so as not to delay it, or after that long. */
const DASHBOARD_MS = 3_000;
const SIGNAL_NUMBERS: Readonly<Record<StopSignal, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** One `train` at work: the supervisor's witness, and what a person sees of it. */
export class Training {
  readonly #run: RunFolder;
  readonly #request: TrainRequest;
  readonly #edges: Edges;
  readonly #display: Display;
  readonly #log: ReturnType<typeof createLog>;
  readonly #pids = new Map<string, number | undefined>();
  #board: ReturnType<typeof newBoard>;
  #dashboard: Dashboard | undefined;
  #supervisor: Supervisor | undefined;

  constructor(run: RunFolder, request: TrainRequest, edges: Edges) {
    this.#run = run;
    this.#request = request;
    this.#edges = edges;
    this.#display = chooseDisplay(request, edges);
    this.#board = newBoard(run.id, run.config.run.batches, [], performance.now());
    const path = logFile(run.path, "train");
    const destination = { write: (line: string) => tryToAppend(path, line) };
    this.#log = createLog({ worker: "train", run: run.id }, { format: "json", destination });
  }

  async run(): Promise<number> {
    const { path, id, config } = this.#run;
    const workers = ["source", ...config.layers].map(anyPort);
    const [hubPort, ...ports] = await reservePorts([
      dashboardPorts(this.#request.dashboard?.port),
      ...workers,
    ]);
    const hub = this.#planHub(hubPort!);
    this.#dashboard = hub && this.#prepareDashboard(hub);
    const foreign = foreignOf(this.#run, this.#request.foreign);
    const planned = planWorkers(id, path, ports, { hub, isTraced: this.#request.isTraced });
    const plans = withForeign(planned, foreign);
    const names = plans.map(({ name }) => name);
    this.#board = newBoard(id, config.run.batches, names, performance.now());
    this.#log.info({ pid: this.#edges.pid, resumed: this.#request.resume !== undefined }, "train began");
    this.#display.say(`${this.#request.resume === undefined ? "training" : "going on with"} ${path}`);
    const ours = plans.filter((_, number) => !foreign.has(number));
    for (const [layer, url] of foreign) {
      this.#board = onForeign(this.#board, plans[layer]!.name);
      // With --quiet too: the run waits for it.
      this.#edges.out.write(`${foreignNews(plans[layer]!, url, this.#edges.worker).join("\n")}\n`);
    }
    const { outcome, words } = await this.#supervise(ours);
    this.#log.info({ outcome }, "train ended");
    if (this.#request.isTraced) this.#joinTrace();
    return this.#conclude(outcome, words);
  }

  async #supervise(plans: readonly WorkerPlan[]): Promise<{ outcome: Outcome; words: readonly string[] }> {
    const offSignal = this.#edges.onSignal((signal) => this.#supervisor?.interrupt(signal));
    const offExit = this.#edges.onExit(() => {
      this.#supervisor?.killAll();
      this.#dashboard?.kill();
      this.#display.close();
    });
    const ticking = setInterval(() => this.#tick(), REDRAW_MS);
    const asking = setInterval(() => void this.#askHub(), ASK_MS);
    const eventFiles = this.#request.hasEventFiles
      ? new LiveEvents(this.#run.path, (line) => this.#display.say(line))
      : undefined;
    const showing = setTimeout(() => this.#dashboard?.begin(), DASHBOARD_MS);
    try {
      const supervisor = new Supervisor(
        plans.map(({ name }) => name),
        (name, hearing) => {
          const plan = plans.find((each) => each.name === name)!;
          return new WorkerProcess(this.#edges.worker(plan), logFile(this.#run.path, name), hearing);
        },
        this.#witness(),
      );
      this.#supervisor = supervisor;
      this.#display.say(`processes: ${[...this.#pids].map(([name, pid]) => `${name} ${pid}`).join(", ")}`);
      const outcome = await supervisor.outcome;
      return { outcome, words: outcome.kind === "failed" ? supervisor.wordsOf(outcome.worker) : [] };
    } finally {
      clearInterval(ticking);
      clearInterval(asking);
      clearTimeout(showing);
      await this.#dashboard?.close();
      eventFiles?.close();
      this.#tick();
      this.#display.close();
      offSignal();
      offExit();
    }
  }

  #planHub(port: number): HubPlan | undefined {
    const { dashboard, runs } = this.#request;
    if (dashboard === undefined || this.#edges.hub === undefined) return undefined;
    return { folder: this.#run.path, runs, port, control: dashboard.control };
  }

  #prepareDashboard(plan: HubPlan): Dashboard {
    const { hub, pid, nodeVersion } = this.#edges;
    return new Dashboard({
      ...{ run: this.#run, plan, command: hub!, pid, nodeVersion },
      say: (line) => this.#display.say(line),
      stop: () => this.#supervisor?.interrupt("SIGTERM"),
      ask: (worker, wish) => this.#supervisor?.ask(worker, wish),
    });
  }

  #tick(): void {
    this.#board = onTick(this.#board, performance.now());
    this.#display.show(this.#board);
  }

  /** A worker that somebody else started in the place of one of ours tells the hub alone. */
  async #askHub(): Promise<void> {
    if (!this.#board.workers.some(({ isAway }) => isAway)) return;
    const asked = await askHub(this.#run.path);
    if (asked !== undefined) this.#board = onHub(this.#board, asked.view.workers);
  }

  #witness(): Witness {
    return {
      started: (worker, pid) => this.#started(worker, pid),
      told: (worker, telemetry) => {
        if (telemetry.kind === "progress") {
          this.#alarmed(worker, telemetry.alarm);
          if (telemetry.batch >= 0 && worker !== "source") this.#dashboard?.begin();
        }
        this.#board = onTelemetry(this.#board, worker, telemetry);
        if (telemetry.kind === "evaluated") {
          this.#display.say(testNews(this.#run.config, telemetry.batch, telemetry.test));
        }
      },
      noted: (note, words) => this.#noted(note, words),
    };
  }

  #started(worker: string, pid: number | undefined): void {
    const isAgain = this.#pids.has(worker);
    this.#pids.set(worker, pid);
    this.#board = onStart(this.#board, worker);
    this.#log.info({ started: worker, pid }, "started worker");
    if (isAgain) this.#display.say(`${worker} is process ${pid} now`);
  }

  #alarmed(worker: string, alarm: string | undefined): void {
    const before = this.#board.workers.find(({ name }) => name === worker)?.alarm;
    if ((before === undefined) === (alarm === undefined)) return;
    this.#log[alarm === undefined ? "info" : "error"]({ worker, alarm }, "alarm");
    this.#display.say(alarmNews(worker, alarm));
  }

  #noted(note: Note, words: readonly string[]): void {
    // A worker that left as it was asked to has said so itself.
    const isExpected = note.kind === "stopped" && "code" in note.ending && note.ending.code === 0;
    if ("ending" in note && !isExpected && isWorkerName(note.worker))
      this.#dashboard?.died(note.worker, note.ending);
    if (note.kind === "stopped") this.#board = onStop(this.#board, note.worker);
    if (note.kind === "died") this.#board = onDeath(this.#board, note.worker, note.restart);
    const news = noteNews(note, words);
    this.#log.warn({ note }, news);
    this.#display.say(news);
  }

  // Also of a run that failed.
  #joinTrace(): void {
    try {
      const trace = joinTrace(this.#run.path);
      this.#display.say(trace ? `trace: ${trace}` : "trace: no layer did anything");
    } catch (error) {
      this.#display.say(`Cannot write the trace: ${(error as Error).message}`);
    }
  }

  #conclude(outcome: Outcome, words: readonly string[]): number {
    const { path } = this.#run;
    switch (outcome.kind) {
      case "finished":
        return this.#close();
      case "stopped":
        return this.#say(128 + SIGNAL_NUMBERS[outcome.signal], [
          stopNews(slowestCursor(this.#board), this.#resumeCommand()),
        ]);
      case "failed": {
        const lines = failureNews(outcome, words, logFile(path, outcome.worker));
        this.#edges.err.write(`${lines.join("\n")}\n`);
        return outcome.code;
      }
    }
  }

  #close(): number {
    const { path, config } = this.#run;
    try {
      const { deaths } = RunRecord.read(path);
      return this.#say(0, closingNews({ ...readSummary(path), config }, path, deaths));
    } catch (error) {
      this.#edges.err.write(`the run has finished, but: ${(error as Error).message}\n`);
      return 1;
    }
  }

  // Not by the display: with --quiet too these lines are printed.
  #say(code: number, lines: readonly string[]): number {
    this.#edges.out.write(`${lines.join("\n")}\n`);
    return code;
  }

  #resumeCommand(): string {
    const { id, path } = this.#run;
    const isObvious = this.#request.runs === DEFAULT_RUNS && isLatest(DEFAULT_RUNS, id);
    return `npm start -- --resume${isObvious ? "" : ` ${path}`}`;
  }
}

// A disk too full for a line of log is no reason to end the training.
function tryToAppend(path: string, line: string): void {
  try {
    appendFileSync(path, line);
  } catch {}
}

function chooseDisplay({ quiet }: TrainRequest, { out, isLive }: Edges): Display {
  if (quiet) return silentDisplay;
  return isLive ? liveDisplay(out, colours(true)) : plainDisplay(out);
}
