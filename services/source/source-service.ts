import type { Claim } from "../../shared/checkpoint/claim.ts";
import { batchOf, snapshotName } from "../../shared/checkpoint/snapshot-name.ts";
import type { Config } from "../../shared/config/config.ts";
import type { DataSet } from "../../shared/data/data-set.ts";
import {
  initialSource,
  type SourceEffect,
  type SourceEvent,
  type SourceRules,
  type SourceState,
  stepSource,
} from "../../shared/delivery/source-delivery.ts";
import type { Link } from "../../shared/link/link.ts";
import {
  answeredBy,
  type BackFrame,
  CloseCode,
  type FinishedFrame,
  type SnapshotFrame,
} from "../../shared/wire/frames.ts";
import type { Meter } from "../worker/meter.ts";
import type { Worker } from "../worker/worker.ts";
import { frameOf } from "./batch-frames.ts";
import type { Snapshots } from "./snapshots.ts";
import type { SourceEnvironment } from "./startup.ts";

/** The life that this service is part of. */
type FeedingWorker = Pick<Worker, "log"> & {
  readonly claim: Pick<Claim, "require">;
};

/** Where the run stands. */
interface RunState {
  /** Every layer holds its last batch durably. */
  finished(frame: FinishedFrame): void;
  /** This batch is being handed to the network. */
  sent(batch: number): void;
}

/** Joins delivery, the data, the run's snapshots and the link of a source: frames become events, effects become frames. */
export class SourceService {
  readonly #config: Config;
  readonly #data: DataSet;
  readonly #rules: SourceRules;
  readonly #meter: Meter;
  readonly #snapshots: Snapshots;
  readonly #environment: Pick<SourceEnvironment, "random" | "date">;
  readonly #worker: FeedingWorker;
  readonly #run: RunState;
  #state: SourceState;
  #successor: Link | undefined;
  /** Highest batch this life has sent. */
  #sent = -1;

  constructor(
    config: Config,
    environment: Pick<SourceEnvironment, "data" | "random" | "date">,
    worker: FeedingWorker,
    meter: Meter,
    snapshots: Snapshots,
    run: RunState,
  ) {
    this.#config = config;
    this.#data = environment.data;
    this.#environment = environment;
    this.#worker = worker;
    this.#run = run;
    this.#rules = rulesOf(config, environment.data);
    this.#meter = meter;
    this.#snapshots = snapshots;
    this.#state = { ...initialSource, snapshotted: snapshots.newest };
  }

  /** The batch before the next one to send; −1 before the first. */
  get cursor(): number {
    return this.#state.next - 1;
  }

  get standing(): "waiting" | "paused" | "evaluating" | "training" {
    const { inFlight, paused } = this.#state;
    if (paused) return "paused";
    if (this.isAlone) return "waiting";
    return inFlight[0]?.kind === "evaluation" ? "evaluating" : "training";
  }

  /** Layer 1 is away. */
  get isAlone(): boolean {
    return this.#state.successor === "away";
  }

  /** Unanswered items. */
  get inFlight(): number {
    return this.#state.inFlight.length;
  }

  get successor(): Link | undefined {
    return this.#successor;
  }

  /** Sends nothing until told to go on; answers are heard. */
  pause(isPaused: boolean): void {
    this.#take({ event: isPaused ? "paused" : "unpaused" });
  }

  /** It is sent nothing before feed(). */
  successorUp(link: Link): void {
    this.#successor = link;
  }

  successorDown(link: Link): void {
    if (this.#successor !== link) return;
    this.#successor = undefined;
    this.#take({ event: "successorLost" });
  }

  /** From what the successor lacks. */
  feed(need: number): void {
    this.#take({ event: "successorLinked", need });
  }

  fromSuccessor(frame: BackFrame): void {
    switch (frame.kind) {
      case "gradient":
        return this.#take({ event: "answered", item: answeredBy(frame) });
      case "rewind":
        this.#worker.log.info({ need: frame.need, next: this.#state.next }, "rewound");
        return this.#take({ event: "rewound", need: frame.need });
      case "snapshot":
        return void this.#saved(frame);
      case "finished":
        return this.#run.finished(frame);
    }
  }

  #take(event: SourceEvent): void {
    const [state, effects] = stepSource(this.#rules, this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: SourceEffect): void {
    switch (effect.effect) {
      case "sendBatch":
        return this.#sendBatch(effect.batch);
      case "sendEvaluation":
        return this.#sendEvaluation(effect.batch, effect.part);
      case "sendBarrier":
        return this.#sendBarrier(effect.batch);
      case "end":
        return this.#successor?.send({ kind: "end", batches: this.#rules.batches });
      case "hangUp":
        return this.#successor?.close(CloseCode.badFrame, effect.reason);
    }
  }

  #sendBatch(number: number): void {
    const { seed, run } = this.#config;
    const batch = this.#data.batch(seed, number, run.batchSize);
    if (number > this.#sent) this.#meter.batch(number);
    else this.#meter.again();
    this.#sent = Math.max(this.#sent, number);
    // Before: layer 1 may have it before this process goes on.
    this.#run.sent(number);
    this.#successor?.send(frameOf(this.#data, batch, number));
  }

  #sendEvaluation(batch: number, part: number): void {
    const rows = this.#data.evaluationPart(part, this.#config.run.batchSize);
    const evaluation = { part, parts: this.#rules.evaluationParts };
    this.#successor?.send(frameOf(this.#data, rows, batch, evaluation));
  }

  #sendBarrier(batch: number): void {
    const snapshot = snapshotName(batch, this.#environment.random);
    const kept = this.#snapshots.began(snapshot);
    this.#successor?.send({ kind: "barrier", batch, snapshot, kept });
  }

  /** Every layer holds its share durably. A snapshot that does not come about is none; the last one stays. */
  async #saved(frame: SnapshotFrame): Promise<void> {
    const { log } = this.#worker;
    try {
      const isWritten = await this.#snapshots.saved(frame, this.#environment.date(), () =>
        this.#worker.claim.require("a manifest"),
      );
      if (!isWritten) return;
      const batch = batchOf(frame.snapshot);
      log.info({ batch, snapshot: frame.snapshot, ...frame.test }, "snapshot");
      this.#take({ event: "snapshotted", batch });
    } catch (error) {
      log.warn({ snapshot: frame.snapshot, err: error }, "snapshot failed");
    }
  }
}

function rulesOf({ run, delivery }: Config, data: DataSet): SourceRules {
  return {
    batches: run.batches,
    window: delivery.window,
    evaluateEvery: run.evaluateEvery,
    evaluationParts: data.evaluationParts(run.batchSize),
    snapshotEvery: run.snapshotEvery,
  };
}
