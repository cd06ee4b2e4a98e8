import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LinkDtype } from "../../shared/wire/frames.ts";
import type { Conditions } from "../../test/support/network/lane.ts";
import { TcpProxy } from "../../test/support/network/proxy.ts";

/** What carries the bytes: our links with all their checks, a bare socket, or ws as it comes. */
export type Carrier = "link" | "tcp" | "ws";

/** One exchange: activations of so many floats go there, up to `window` of them unanswered. */
export interface Exchange {
  readonly rows: number;
  readonly columns: number;
  readonly window: number;
  readonly ms: number;
}

interface Between {
  readonly dtype?: LinkDtype;
  /** What the network between them is like; a direct connection if not given. */
  readonly conditions?: Partial<Conditions>;
}

/** The two ends of one carrier, a process each. */
export class Ends {
  readonly #listening: ChildProcess;
  readonly #dialling: ChildProcess;
  readonly #proxy: TcpProxy | undefined;

  private constructor(listening: ChildProcess, dialling: ChildProcess, proxy: TcpProxy | undefined) {
    this.#listening = listening;
    this.#dialling = dialling;
    this.#proxy = proxy;
  }

  static async start(carrier: Carrier, { dtype = "f32", conditions }: Between = {}): Promise<Ends> {
    const listening = startEnd("listen", carrier, dtype);
    const [port] = (await once(listening, "message")) as [number];
    const proxy = conditions && (await TcpProxy.open({ target: port, conditions }));
    const dialling = startEnd("dial", carrier, dtype, String(proxy?.port ?? port));
    await once(dialling, "message");
    return new Ends(listening, dialling, proxy);
  }

  /** Exchanges a second. */
  async rate(exchange: Exchange): Promise<number> {
    this.#dialling.send(exchange);
    const [rate] = await once(this.#dialling, "message");
    return rate as number;
  }

  async stop(): Promise<void> {
    this.#dialling.kill();
    this.#listening.kill();
    await this.#proxy?.close();
  }
}

/** By the engine's flags that services run with. */
function startEnd(...args: string[]) {
  const [program, engine] = ["end.ts", "../../services/start/engine.cjs"].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  );
  return fork(program!, args, { execArgv: ["--require", engine!, "--import", "tsx"] });
}
