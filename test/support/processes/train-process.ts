import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const FAKE_TRAIN = fileURLToPath(new URL("fake-train.ts", import.meta.url));
export const TWO_RINGS = fileURLToPath(new URL("../../../configs/two-rings.yaml", import.meta.url));

/** The command line as a process of its own, in a process group of its own, as a shell would start it. */
export class TrainProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #text = "";

  constructor(cwd: string, args: readonly string[], fakes: Readonly<Record<string, string>> = {}) {
    const env = { ...process.env, FAKES: JSON.stringify(fakes) };
    const loader = import.meta.resolve("tsx");
    this.#child = spawn(process.execPath, ["--import", loader, FAKE_TRAIN, ...args], {
      cwd,
      env,
      detached: true,
    });
    this.#closed = once(this.#child, "close");
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#text += text;
        this.#child.emit("text");
      });
    }
  }

  /** What it printed so far, on either stream. */
  get text(): string {
    return this.#text;
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`ended without saying ${pattern}:\n${this.#text}`);
      }
      await Promise.race([once(this.#child, "text"), this.#closed]);
    }
  }

  /** The processes it started first, by name. */
  async workers(): Promise<Map<string, number>> {
    const [, list] = await this.says(/^processes: (.*)$/m);
    return new Map(
      list!.split(", ").map((entry) => [entry.split(" ")[0]!, Number(entry.split(" ")[1])] as const),
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As Ctrl-C does: it and all it started. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.#child.pid!, signal);
  }

  /** Its exit code, once nobody holds its output any more. */
  async ends(): Promise<number | null> {
    const [code] = await this.#closed;
    return code as number | null;
  }

  dispose(): void {
    this.#child.kill("SIGKILL");
  }
}
