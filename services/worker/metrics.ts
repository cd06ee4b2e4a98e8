import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Traffic } from "../../shared/link/link.ts";
import type { Page } from "../../shared/link/listen.ts";
import type { Progress, WorkerState } from "../../shared/telemetry/telemetry.ts";

export interface WorkerFigures {
  readonly run: string;
  readonly progress: Progress & {
    readonly inFlight?: number;
    readonly window?: number;
    readonly durable?: number;
    readonly keptBytes?: number;
  };
  readonly traffic: Traffic;
}

const STATES = [
  "starting",
  "waiting",
  "training",
  "holding",
  "paused",
  "evaluating",
  "stopping",
  "finished",
] as const satisfies readonly WorkerState[];

let ofProcess: Registry | undefined;

/**
 * Of /metrics, for Prometheus: how a worker stands, under the labels run and worker; then what prom-client says of its
 * process. To be imported only where somebody asks: it is megabytes of memory in every process. Figures that a worker has not (the loss of a hidden layer) are left out. `figures` is undefined while it starts.
 */
export async function workerMetrics(figures: WorkerFigures | undefined): Promise<Page> {
  if (figures === undefined) return { status: 503, body: "starting\n" };
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  const { run, progress, traffic } = figures;
  const registry = new Registry();
  registry.setDefaultLabels({ run, worker: progress.worker });
  const registers = [registry];
  const gauge = (name: string, help: string, value: number | undefined) => {
    if (value !== undefined) new Gauge({ name: `unlocked_${name}`, help, registers }).set(value);
  };
  gauge("up", "Always 1: the process answers.", 1);
  gauge("incarnation", "Number of the worker's life; rises by one at every start.", progress.incarnation);
  gauge("batch", "Cursor: highest batch applied, -1 before the first.", progress.batch);
  gauge("batches", "Batches of the whole run.", progress.batches);
  gauge("batches_per_second", "Batches applied per second, over the last few seconds.", progress.perSecond);
  gauge("checkpoint_batch", "Highest batch in a durable checkpoint.", progress.durable);
  gauge("kept_bytes", "Kept of what was sent, to send it again.", progress.keptBytes);
  gauge("loss", "Mean training loss in the newest report; the head only.", progress.loss);
  gauge("generator_error", "Squared error of guesses; 1 is guessing zero.", progress.generatorError);
  gauge("generator_cosine", "Cosine between guess and target.", progress.cosine);
  gauge("staleness_batches", "Mean age of the targets, in batches.", progress.staleness);
  gauge("in_flight", "Activations sent and unanswered.", progress.inFlight);
  gauge("window", "Most activations in flight.", progress.window);
  gauge("alarm", "1 while something fails, though training goes on.", progress.alarm ? 1 : 0);
  const state = new Gauge({
    name: "unlocked_state",
    help: "1 for the worker's present state, 0 for the others.",
    labelNames: ["state"],
    registers,
  });
  for (const each of STATES) state.set({ state: each }, each === progress.state ? 1 : 0);
  const bytes = new Counter({
    name: "unlocked_message_bytes_total",
    help: "Bytes of the frames over the links of this process.",
    labelNames: ["direction"],
    registers,
  });
  bytes.inc({ direction: "sent" }, traffic.sent);
  bytes.inc({ direction: "received" }, traffic.received);
  const body = `${await registry.metrics()}\n${await ofProcess.metrics()}`;
  return { status: 200, body, type: registry.contentType };
}
