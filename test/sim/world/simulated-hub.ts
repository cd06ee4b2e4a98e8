import type { EventLine, MetricLine } from "../../../shared/record/lines.ts";
import type { DialHub, HubDialOptions } from "../../../shared/telemetry/dial-hub.ts";
import type { Command, Introduction, ToHub } from "../../../shared/telemetry/messages.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Life } from "./life.ts";

const TRAVEL_MS = 2;
const REDIAL_MS = 20;

/**
 * A hub that may be away: what it wrote down stays, what was on its way is lost, and it may have forgotten which numbers
 * it has heard.
 */
export class SimulatedHub {
  /** Its files. */
  readonly record: (MetricLine | EventLine)[] = [];
  readonly introductions: Introduction[] = [];
  readonly goodbyes: string[] = [];
  readonly #queue: EventQueue;
  readonly #connections = new Set<HubConnection>();
  #isUp = true;

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  /** Away from then until then. */
  awayBetween(fromMs: number, toMs: number): void {
    this.#queue.after(fromMs, () => {
      this.#isUp = false;
      for (const connection of this.#connections) connection.cut();
    });
    this.#queue.after(toMs, () => {
      this.#isUp = true;
    });
  }

  tell(worker: string, command: Command, refusal?: string): void {
    for (const { options } of this.#connections)
      if (options.introduction.worker === worker) options.onCommand(command, refusal);
  }

  died(life: Life): void {
    for (const connection of this.#connections)
      if (connection.life === life) this.#connections.delete(connection);
  }

  dialFor(life: Life): DialHub {
    return (options) => {
      let isClosed = false;
      const later = (ms: number, what: () => void) =>
        this.#queue.after(ms, () => life.run(() => isClosed || what()));
      const connect = () => {
        if (!this.#isUp) return later(REDIAL_MS, connect);
        const connection = new HubConnection(life, options, () => {
          this.#connections.delete(connection);
          life.run(() => options.onDown({ code: 1006, reason: "cut" }));
          later(REDIAL_MS, connect);
        });
        this.#connections.add(connection);
        this.introductions.push(options.introduction);
        options.onUp({
          send: (message) => this.#travel(connection, message),
          bufferedBytes: 0,
        });
      };
      later(TRAVEL_MS, connect);
      return {
        close: () => {
          isClosed = true;
        },
      };
    };
  }

  #travel(connection: HubConnection, message: Exclude<ToHub, Introduction>): void {
    if (message.kind === "goodbye") this.goodbyes.push(connection.options.introduction.worker);
    this.#queue.after(TRAVEL_MS, () => {
      if (!connection.isOpen) return;
      if (message.kind !== "line") return;
      if (message.line.kind !== "log") this.record.push(message.line);
      this.#queue.after(TRAVEL_MS, () => {
        if (connection.isOpen) connection.life.run(() => connection.options.onAcknowledged(message.seq));
      });
    });
  }
}

class HubConnection {
  readonly life: Life;
  readonly options: HubDialOptions;
  readonly #onCut: () => void;
  isOpen = true;

  constructor(life: Life, options: HubDialOptions, onCut: () => void) {
    this.life = life;
    this.options = options;
    this.#onCut = onCut;
  }

  cut(): void {
    this.isOpen = false;
    this.#onCut();
  }
}
