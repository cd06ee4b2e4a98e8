import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";
import type { Secret } from "../../../shared/link/secret.ts";
import type { WorkerName } from "../../../shared/record/worker-name.ts";
import { provenIntroduction } from "../../../shared/telemetry/hub-proof.ts";
import type {
  Introduction,
  Numbered,
  Standing,
  ToHub,
  ToWorker,
} from "../../../shared/telemetry/messages.ts";

interface WorkerSays {
  readonly run: string;
  readonly worker: string;
  readonly incarnation?: number;
  readonly instance?: string;
  readonly port?: number;
  readonly control?: boolean;
  readonly questions?: boolean;
  readonly looks?: boolean;
  readonly secret?: Secret;
  readonly node?: string;
  readonly store?: string;
}

/** A worker's end of its telemetry, by hand: says what a test wants said, and collects what the hub says. */
export class HubWorker {
  readonly socket: WebSocket;
  readonly introduction: Introduction;
  readonly heard: ToWorker[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #waiting: (() => void)[] = [];

  /** Resolves when it has introduced itself. */
  static async dial(port: number, says: WorkerSays): Promise<HubWorker> {
    const worker = new HubWorker(port, says);
    const challenge = await worker.hears("challenge");
    worker.say(provenIntroduction(says.secret, worker.introduction, challenge.nonce));
    return worker;
  }

  constructor(port: number, says: WorkerSays) {
    const {
      run,
      worker,
      incarnation = 1,
      instance = randomUUID(),
      control = false,
      node,
      store,
      questions,
      looks,
    } = says;
    this.introduction = {
      kind: "introduction",
      protocol: 1,
      ...{
        run,
        worker: worker as WorkerName,
        incarnation,
        instance,
        control,
        port: says.port ?? 1,
        pid: 7,
        config: "",
      },
      ...(node !== undefined && { node }),
      ...(questions && { questions }),
      ...(looks && { looks }),
      ...(store !== undefined && { store }),
      versions: { node: "v20", kernels: "plain" },
    };
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/telemetry`);
    this.socket.on("error", () => {});
    this.socket.on("message", (bytes: Buffer) => {
      this.heard.push(JSON.parse(bytes.toString()) as ToWorker);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  say(message: ToHub | object): void {
    this.socket.send(JSON.stringify(message));
  }

  line(seq: number, line: Numbered["line"] | object): void {
    this.say({ kind: "line", seq, line });
  }

  stand(batch: number, more: Partial<Standing["progress"]> = {}): void {
    const { worker, incarnation } = this.introduction;
    const figures = { batches: 100, perSecond: 10, bytesSent: 0, bytesReceived: 0, rssBytes: 1 };
    const progress = { kind: "progress", worker, incarnation, state: "training", batch, ...figures, ...more };
    this.say({ kind: "standing", progress, dropped: 0 });
  }

  segment(first: number, last: number, loss = 1) {
    const { worker, incarnation } = this.introduction;
    return { kind: "segment", worker, incarnation, at: Date.now(), first, last, spanMs: 10, loss } as const;
  }

  event(name: string, text: string, batch?: number) {
    const { worker, incarnation } = this.introduction;
    return {
      kind: "event",
      worker,
      incarnation,
      at: Date.now(),
      name,
      text,
      ...(batch !== undefined && { batch }),
    };
  }

  /** The next message of that kind, at once if it has come already; each is given once. */
  async hears<Kind extends ToWorker["kind"]>(kind: Kind): Promise<Extract<ToWorker, { kind: Kind }>> {
    for (;;) {
      const at = this.heard.findIndex((each) => each.kind === kind);
      if (at >= 0) return this.heard.splice(at, 1)[0] as Extract<ToWorker, { kind: Kind }>;
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  async acknowledged(seq: number): Promise<void> {
    while ((await this.hears("ack")).seq < seq);
  }
}
