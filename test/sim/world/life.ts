/** One life of a simulated process: what happens to it waits while it is stopped, and is lost once it is dead. */
export class Life {
  readonly name: string;
  #state: "running" | "stopped" | "dead" = "running";
  #waiting: (() => void)[] = [];

  /** Told of an error that nobody caught, which ends a process. */
  readonly #onCrash: (error: unknown) => void;

  constructor(name: string, onCrash: (error: unknown) => void) {
    this.name = name;
    this.#onCrash = onCrash;
  }

  get isAlive(): boolean {
    return this.#state !== "dead";
  }

  get isStopped(): boolean {
    return this.#state === "stopped";
  }

  run(what: () => void): void {
    if (this.#state === "dead") return;
    if (this.#state === "stopped") {
      this.#waiting.push(what);
      return;
    }
    try {
      what();
    } catch (error) {
      this.#onCrash(error);
    }
  }

  /** SIGSTOP. */
  stop(): void {
    if (this.#state === "running") this.#state = "stopped";
  }

  /** SIGCONT: all that it missed happens now, in order. */
  continue(): void {
    if (this.#state !== "stopped") return;
    this.#state = "running";
    for (const what of this.#waiting.splice(0)) this.run(what);
  }

  end(): void {
    this.#state = "dead";
    this.#waiting = [];
  }
}
