import type { Dialler, DialOptions } from "../../../shared/link/dial.ts";
import type { Listener, ListenOptions } from "../../../shared/link/listen.ts";
import type { Frame } from "../../../shared/wire/frames.ts";
import type { EventQueue, SimulatedRandom } from "../world/event-queue.ts";
import type { Life } from "../world/life.ts";
import type { Connection, End } from "./connection.ts";
import { Dialling } from "./dialling.ts";
import { Listening } from "./listening.ts";

/** What the network tells of what passes; for the checks. */
export interface Watcher {
  dialled(life: Life, incarnation: number): void;
  accepted(life: Life, incarnation: number): void;
  sent(connection: Connection, frame: Frame, forward: boolean): void;
}

const HEARTBEATS_MS = 2000;

/** Connections between simulated processes: what `dial` and `listen` promise, with frames for bytes and virtual time. */
export class SimulatedNetwork {
  readonly queue: EventQueue;
  readonly random: SimulatedRandom;
  readonly watcher: Watcher;
  readonly connections = new Set<Connection>();
  readonly #listeners: Listening[] = [];
  /** By address: nothing passes to or from it until then. */
  readonly #silentUntil = new Map<string, number>();

  constructor(queue: EventQueue, random: SimulatedRandom, watcher: Watcher) {
    this.queue = queue;
    this.random = random;
    this.watcher = watcher;
  }

  dialFor(life: Life): (options: DialOptions) => Dialler {
    return (options) => {
      const dialling = new Dialling(this, life, options);
      dialling.connect();
      return dialling;
    };
  }

  listenFor(life: Life): (options: ListenOptions) => Promise<Listener> {
    return async (options) => {
      const listening = new Listening(this, life, options);
      this.#listeners.push(listening);
      return listening;
    };
  }

  /** Somebody who listens there; mostly the newest, if there are several. */
  find(url: string): Listening | undefined {
    const there = this.#listeners.filter(({ url: own, isOpen }) => own === url && isOpen);
    const index = this.random() < 0.7 ? there.length - 1 : Math.floor(this.random() * there.length);
    return there[index];
  }

  silenceUntil(address: string): number {
    return this.#silentUntil.get(address) ?? 0;
  }

  /** A black hole: what was sent arrives late, unless a heartbeat gives up before. */
  silence(url: string, ms: number): void {
    this.#silentUntil.set(url, this.queue.now + ms);
    for (const connection of this.connections)
      if (connection.url === url)
        for (const end of connection.ends) this.#watchHeart(end, () => end.isSilent);
  }

  /** The other ends notice a stopped process by its silence. */
  stopped(life: Life): void {
    for (const end of this.#endsOf(life)) this.#watchHeart(end.other, () => !life.isAlive || life.isStopped);
  }

  /** A dead process: its machine says so on its behalf, or not, if that is gone too. */
  died(life: Life, isSilent: boolean): void {
    for (const end of this.#endsOf(life)) {
      if (isSilent) this.#watchHeart(end.other, () => true);
      else end.other.hear(() => end.other.down({ code: 1006, reason: "reset" }));
    }
    for (const listening of this.#listeners.splice(0))
      if (listening.life !== life) this.#listeners.push(listening);
  }

  cut(connection: Connection): void {
    for (const end of connection.ends) end.down({ code: 1006, reason: "cut" });
  }

  #endsOf(life: Life): End[] {
    return [...this.connections].flatMap(({ ends }) => ends.filter((end) => end.life === life));
  }

  #watchHeart(end: End, isStillSilent: () => boolean): void {
    this.queue.after(HEARTBEATS_MS * (1 + this.random() / 2), () => {
      if (isStillSilent()) end.down({ code: 1006, reason: "no sign of life within two heartbeats" });
    });
  }
}
