import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What carries the bytes: our links with all their checks, a bare socket, or ws as it comes. */
export type Carrier = "link" | "tcp" | "ws";

/** One exchange: activations of so many floats go there, up to `window` of them unanswered. */
export interface Exchange {
  readonly rows: number;
  readonly columns: number;
  readonly window: number;
  readonly ms: number;
}

/** The two ends of one carrier, a process each. */
export class Ends {
  readonly #listening;
  readonly #dialling;

  private constructor(listening: ReturnType<typeof fork>, dialling: ReturnType<typeof fork>) {
    this.#listening = listening;
    this.#dialling = dialling;
  }

  static async start(carrier: Carrier): Promise<Ends> {
    const listening = startEnd("listen", carrier);
    const [port] = await once(listening, "message");
    const dialling = startEnd("dial", carrier, String(port));
    await once(dialling, "message");
    return new Ends(listening, dialling);
  }

  /** Exchanges a second. */
  async rate(exchange: Exchange): Promise<number> {
    this.#dialling.send(exchange);
    const [rate] = await once(this.#dialling, "message");
    return rate as number;
  }

  stop(): void {
    this.#dialling.kill();
    this.#listening.kill();
  }
}

function startEnd(...args: string[]) {
  const program = fileURLToPath(new URL("end.ts", import.meta.url));
  return fork(program, args, { execArgv: ["--import", "tsx"] });
}
