import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chooseKernels, type KernelsChoice, type KernelsName } from "../../shared/math/choose-kernels.ts";
import type { HubCommand } from "./dashboard.ts";
import type { Screen } from "./display.ts";
import type { StopSignal } from "./supervision.ts";
import type { WorkerCommand } from "./worker-plan.ts";

/** What the command line needs of the process it runs in. */
export interface Edges {
  readonly out: Screen;
  readonly err: Screen;
  /** Lines can be redrawn, and somebody may be watching. */
  readonly isLive: boolean;
  /** Standard input, once somebody wants it. */
  readonly input: () => AsyncIterable<Buffer | string>;
  readonly pid: number;
  /** Trained when none is named. */
  readonly defaultConfig: string;
  readonly worker: WorkerCommand;
  /** Undefined where no run has a dashboard. */
  readonly hub?: HubCommand | undefined;
  /** Where something is computed in this process: a set of its own for each caller. */
  readonly kernels: (name: KernelsName) => KernelsChoice;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  readonly date: () => Date;
  readonly nodeVersion: string;
  /** From now on signals no longer end the process. Returns how to hear of none any more. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** Hears single keys, where somebody sits at a keyboard. Returns how to hear of none any more. */
  readonly onKey?: (listener: (key: string) => void) => () => void;
  /** The last thing done before the process ends, however it does, unless it is killed. Returns how to undo that. */
  readonly onExit: (listener: () => void) => () => void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const CONFIG = "configs/mnist.yaml";

export function edgesOf(host: NodeJS.Process, worker: WorkerCommand, hub?: HubCommand): Edges {
  const { stdout, stderr, env, pid } = host;
  return {
    out: stdout,
    err: stderr,
    isLive: stdout.isTTY === true && !isTrue(env.CI) && env.TERM !== "dumb",
    pid,
    input: () => host.stdin,
    defaultConfig: existsSync(CONFIG) ? CONFIG : fileURLToPath(new URL(`../../${CONFIG}`, import.meta.url)),
    worker,
    hub,
    kernels: (name) => chooseKernels(name, host),
    now: () => performance.now(),
    date: () => new Date(),
    nodeVersion: host.version,
    onSignal: (listener) => listenToSignals(host, listener),
    onKey: (listener) => listenToKeys(host.stdin, listener),
    onExit: (listener) => {
      host.on("exit", listener);
      return () => host.off("exit", listener);
    },
  };
}

function listenToSignals(host: NodeJS.Process, listener: (signal: StopSignal) => void): () => void {
  let isFirst = true;
  let isHeard = true;
  const onSignal = (signal: StopSignal) => {
    isFirst = false;
    if (isHeard) listener(signal);
  };
  // Our output has no reader any more: the terminal is gone, or `| head` has enough. A lost terminal signals as well,
  // and twice would mean "at once".
  const onLost = () => {
    if (isFirst) onSignal("SIGPIPE");
  };
  for (const signal of SIGNALS) host.on(signal, onSignal);
  host.stdout.on("error", onLost);
  return () => {
    isHeard = false;
    // The listeners stay: without them a lost output, or the second half of one Ctrl-C, would end the process in the
    // middle of its last words. They keep nothing alive.
  };
}

function listenToKeys(stdin: NodeJS.Process["stdin"], listener: (key: string) => void): () => void {
  if (stdin.isTTY !== true) return () => undefined;
  const onData = (bytes: Buffer) => listener(bytes.toString("utf8"));
  stdin.setRawMode(true).on("data", onData).resume();
  return () => stdin.off("data", onData).setRawMode(false).pause();
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}
