import { once } from "node:events";
import { type AddressInfo, createServer, type Server, Socket } from "node:net";
import { seeded } from "../seeded.ts";
import { type Conditions, ideal, Lane } from "./lane.ts";

/** From whoever dialled to the target, or back. */
export type Direction = "forward" | "back";

/** Time, so that a test can stand in for it. `later` gives how to call it off. */
export interface Clock {
  now(): number;
  later(ms: number, run: () => void): () => void;
}

export interface ProxyOptions {
  /** The port on 127.0.0.1 that connections are passed on to; may be changed, for connections to come. */
  readonly target: number;
  /** Every draw follows from it, the order of connections, and for jitter from the chunks that bytes come in. */
  readonly seed?: number;
  readonly clock?: Clock;
  /** Bytes on their way in one direction of one connection, beyond which its sender is not read from. */
  readonly mostBytes?: number;
  readonly conditions?: Partial<Conditions>;
}

const systemClock: Clock = {
  now: () => performance.now(),
  later(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * A TCP proxy on 127.0.0.1 that treats connections as a bad network would: see Conditions. It does what TCP does (bytes
 * arrive in order or not at all), unless told to corrupt. Conditions may change at any time, for connections that are
 * there as well. A target that cannot be reached resets whoever dialled.
 */
export class TcpProxy {
  target: number;
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #conditions: Record<Direction, Conditions>;
  readonly #passed: Record<Direction, number> = { forward: 0, back: 0 };
  #accepted = 0;

  static async open(options: ProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.target = options.target;
    const conditions = { ...ideal, ...options.conditions };
    this.#conditions = { forward: conditions, back: conditions };
    // An end passes through like any byte, while the other direction goes on.
    const sockets = { allowHalfOpen: true, noDelay: true };
    this.#server = createServer(sockets, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there are now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many connections there ever were. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Bytes given so far. */
  get passed(): Readonly<Record<Direction, number>> {
    return { ...this.#passed };
  }

  /** Changes conditions from now on; those not named stay. */
  impair(changes: Partial<Conditions>, direction: Direction | "both" = "both"): void {
    for (const each of ["forward", "back"] as const) {
      if (direction === "both" || direction === each)
        this.#conditions[each] = { ...this.#conditions[each], ...changes };
    }
    for (const connection of this.#connections) connection.wake();
  }

  /** An ideal network from now on. */
  heal(): void {
    this.impair(ideal);
  }

  /** Ends every connection at both ends, with a reset; what is on its way is lost. */
  reset(): void {
    for (const connection of this.#connections) connection.reset();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.reset();
    await closed;
  }

  #accept(client: Socket): void {
    const number = this.#accepted++;
    const { clock = systemClock, mostBytes = 16 * 1024 * 1024, seed = 1 } = this.#options;
    const randoms = { forward: seeded(seed + 2 * number), back: seeded(seed + 2 * number + 1) };
    const connection = new Connection(client, {
      clock,
      mostBytes,
      target: () => this.target,
      conditions: (direction) => this.#conditions[direction],
      random: (direction) => randoms[direction](),
      passed: (direction, bytes) => {
        this.#passed[direction] += bytes;
      },
      gone: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.wake();
  }
}

interface Surroundings {
  readonly clock: Clock;
  readonly mostBytes: number;
  readonly target: () => number;
  readonly conditions: (direction: Direction) => Conditions;
  readonly random: (direction: Direction) => number;
  readonly passed: (direction: Direction, bytes: number) => void;
  readonly gone: () => void;
}

class Connection {
  readonly #client: Socket;
  readonly #around: Surroundings;
  readonly #upstream = new Socket({ allowHalfOpen: true });
  readonly #pipes: readonly Pipe[];
  #isDialled = false;

  constructor(client: Socket, around: Surroundings) {
    this.#client = client;
    this.#around = around;
    this.#upstream.setNoDelay(true);
    this.#pipes = [
      new Pipe("forward", client, this.#upstream, around),
      new Pipe("back", this.#upstream, client, around),
    ];
    let open = 2;
    for (const socket of [client, this.#upstream])
      socket.on("close", () => {
        if (--open === 0) around.gone();
      });
  }

  /** Conditions may have changed. Nobody is dialled through a black hole. */
  wake(): void {
    if (!this.#isDialled && !this.#around.conditions("forward").blackHole) {
      this.#isDialled = true;
      this.#upstream.connect(this.#around.target(), "127.0.0.1");
    }
    for (const pipe of this.#pipes) pipe.pump();
  }

  reset(): void {
    reset(this.#client);
    reset(this.#upstream);
  }
}

/** One direction: what one socket gives goes through a lane into the other. */
class Pipe {
  readonly #direction: Direction;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #around: Surroundings;
  readonly #lane: Lane;
  #isBlocked = false;
  #isOver = false;
  #callOff = () => {};

  constructor(direction: Direction, from: Socket, to: Socket, around: Surroundings) {
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#around = around;
    this.#lane = new Lane(
      () => around.conditions(direction),
      () => around.random(direction),
    );
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => this.#take("end"));
    from.on("error", () => this.#take("reset"));
    to.on("drain", () => {
      this.#isBlocked = false;
      this.pump();
    });
    to.on("close", () => this.#stop());
  }

  /** Gives what has arrived by now, and comes again when more will have. */
  pump(): void {
    this.#callOff();
    while (!this.#isBlocked && !this.#isOver) {
      const item = this.#lane.take(this.#around.clock.now());
      if (item === undefined) return this.#waitForNext();
      this.#give(item);
      if (this.#lane.bytes < this.#around.mostBytes) this.#from.resume();
      // Each slice in a turn of its own, so that the system does not join them again.
      if (Number.isFinite(this.#around.conditions(this.#direction).sliceBytes)) return this.#pumpSoon();
    }
  }

  #take(item: Buffer | "end" | "reset"): void {
    if (this.#isOver) return;
    this.#lane.push(item, this.#around.clock.now());
    if (this.#lane.bytes >= this.#around.mostBytes) this.#from.pause();
    this.pump();
  }

  #give(item: Uint8Array | "end" | "reset"): void {
    if (item === "reset") return this.#cut();
    if (item === "end") return void this.#to.end();
    this.#around.passed(this.#direction, item.length);
    this.#isBlocked = !this.#to.write(item);
  }

  /** What was given before still goes out: a reset at byte n must not come before byte n. */
  #cut(): void {
    const cut = () => {
      reset(this.#to);
      reset(this.#from);
    };
    if (this.#to.writableLength === 0) cut();
    else this.#to.write("", cut);
  }

  #pumpSoon(): void {
    const soon = setImmediate(() => this.pump());
    this.#callOff = () => clearImmediate(soon);
  }

  #waitForNext(): void {
    const { nextAt } = this.#lane;
    if (nextAt === undefined) return;
    const { clock } = this.#around;
    this.#callOff = clock.later(Math.max(0, nextAt - clock.now()), () => this.pump());
  }

  #stop(): void {
    this.#callOff();
    // Nobody is left to give to: what comes is dropped, but read, so that the sender's end is heard.
    this.#isOver = true;
    this.#from.resume();
  }
}

// resetAndDestroy() would say goodbye first: an end goes out before the reset, and the peer hears only that.
function reset(socket: Socket): void {
  // While an end is on its way out, the handle refuses to be reset.
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (!isEnding) (socket as Socket & { resetAndClosing: boolean }).resetAndClosing = true;
  socket.destroy();
}
