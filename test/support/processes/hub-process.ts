import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StreamEvents, WorkerView } from "../../../shared/record/hub-api.ts";

/** A folder of runs with one run in it, of three layers. */
export function newRun(id = "r1"): {
  readonly runs: string;
  readonly folder: string;
  readonly remove: () => void;
} {
  const runs = mkdtempSync(join(tmpdir(), "hub-"));
  const folder = join(runs, id);
  mkdirSync(folder);
  cpSync("configs/two-rings.yaml", join(folder, "config.yaml"));
  return { runs, folder, remove: () => rmSync(runs, { recursive: true, force: true }) };
}

/** A hub as a process of its own, on a port of its own. */
export class HubProcess {
  readonly child: ChildProcess;
  readonly port: number;

  static async start(...flags: readonly string[]): Promise<HubProcess> {
    const listen = flags.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
    const program = ["services/start/run.cjs", "services/hub/main.ts"];
    const stdio = ["ignore", "pipe", "inherit", "ipc"] as const;
    const child = spawn(process.execPath, [...program, ...listen, ...flags], { stdio: [...stdio] });
    let said = "";
    child.stdout!.on("data", (bytes: Buffer) => {
      said += bytes;
    });
    const ended = once(child, "close").then(() => {
      throw new Error(`the hub ended: ${said}`);
    });
    ended.catch(() => {});
    const [message] = (await Promise.race([once(child, "message"), ended])) as [{ readonly port: number }];
    return new HubProcess(child, message.port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "close");
    this.child.kill(signal);
    await ended;
  }

  async get<T>(path: string): Promise<T> {
    const answer = await ask(this.port, path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as T;
  }

  /** Reads server-sent events until this process has no more use for them. */
  async stream(): Promise<Stream> {
    const stream = new Stream(this.port);
    await stream.next("hello");
    return stream;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request with headers of any kind: fetch would not let a test lie about its host. */
export function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, body = "" }: { method?: string; headers?: object; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers: { ...headers }, agent: false });
    asked.on("error", reject);
    asked.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { statusCode = 0, headers: found } = response;
        resolve({ status: statusCode, headers: found, body: Buffer.concat(chunks).toString() });
      });
    });
    asked.end(body);
  });
}

type Name = keyof StreamEvents;

export class Stream {
  readonly #asked;
  readonly #heard: { readonly name: string; readonly data: unknown }[] = [];
  #waiting: (() => void)[] = [];

  constructor(port: number) {
    this.#asked = request({ host: "127.0.0.1", port, path: "/api/stream", agent: false });
    this.#asked.on("error", () => {});
    this.#asked.on("response", (response) => {
      let text = "";
      response.on("error", () => {});
      response.on("data", (chunk: Buffer) => {
        text += chunk;
        const whole = text.split("\n\n");
        text = whole.pop()!;
        for (const each of whole) this.#hear(each);
      });
    });
    this.#asked.end();
  }

  #hear(text: string): void {
    const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(text) ?? [];
    this.#heard.push({ name, data: JSON.parse(data) });
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The next event of that name which fits; those before it are passed over. */
  async next<N extends Name>(
    name: N,
    fits: (data: StreamEvents[N]) => boolean = () => true,
  ): Promise<StreamEvents[N]> {
    for (;;) {
      for (let each = this.#heard.shift(); each !== undefined; each = this.#heard.shift()) {
        if (each.name === name && fits(each.data as StreamEvents[N])) return each.data as StreamEvents[N];
      }
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  /** How a worker stands, once it stands so. */
  async worker(name: string, fits: (view: WorkerView) => boolean): Promise<WorkerView> {
    const of = ({ workers }: StreamEvents["workers"]) => workers.find((each) => each.name === name)!;
    return of(await this.next("workers", (told) => fits(of(told))));
  }

  close(): void {
    this.#asked.destroy();
  }
}

export function linesIn(path: string): Record<string, unknown>[] {
  const text = readFileSync(path, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
