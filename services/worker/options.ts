import { parseArgs } from "node:util";
import { type Folder, folderOf } from "../../shared/checkpoint/folder-flag.ts";
import type { TlsFiles } from "../../shared/link/credentials.ts";

/** What a worker is told when it is started. */
export interface WorkerOptions {
  readonly config: string;
  /** path=value, over the config. */
  readonly set: readonly string[];
  readonly run: string;
  /** Where it keeps what must outlive it. */
  readonly state: string;
  /** That folder, and the source's record: where each goes to as well. */
  readonly folders: readonly Folder[];
  readonly host: string;
  readonly port: number;
  /** ws://host:port, wss:// with TLS; the head has none. */
  readonly successor: string | undefined;
  /** Holds the secret that it shares with its neighbours; without one, no proof is asked. */
  readonly secretFile: string | undefined;
  /** Paths, of PEM; with them its links are encrypted, and both ends show a certificate. */
  readonly tlsFiles: TlsFiles | undefined;
  /** ws://host:port, or wss:// with TLS: whom it tells of itself, if anybody. */
  readonly hub: string | undefined;
  /** It does what the hub says: pause, kill, stop, … Else it only logs that it was asked. */
  readonly control: boolean;
  /** The machine it lives on, by the name that its orchestrator gives it. */
  readonly node?: string | undefined;
  readonly logFormat: "json" | "pretty";
  /** A layer's: the file that gets when it did what. */
  readonly trace: string | undefined;
  /** A layer's number, from 1. */
  readonly layer: number | undefined;
  /** The source's: the folder of the run's record. */
  readonly record: string | undefined;
}

/** Every mistake in the flags, one a line. */
export class WorkerOptionsError extends Error {
  override readonly name = "WorkerOptionsError";
}

interface WorkerEnvironment {
  /** Where no --secret-file is given. A path is no secret; the secret itself belongs neither here nor in the flags. */
  readonly UNLOCKED_SECRET_FILE?: string | undefined;
  /** Where no --hub is given. */
  readonly UNLOCKED_HUB?: string | undefined;
  /** Of Kubernetes or Swarm: where they have placed it. */
  readonly NODE_NAME?: string | undefined;
  /** "1" is as good as --control. */
  readonly UNLOCKED_CONTROL?: string | undefined;
}

/** Throws a WorkerOptionsError that lists all mistakes. */
export function readWorkerOptions(
  argv: readonly string[],
  role: Role,
  environment: WorkerEnvironment = {},
): WorkerOptions {
  const given = parse(argv);
  const mistakes: string[] = [];
  const required = (flag: "config" | "run" | "listen" | "successor" | "layer"): string => {
    const value = given[flag];
    if (value === undefined) mistakes.push(`--${flag} is missing`);
    return value ?? "";
  };
  const tlsFiles = tls(given, mistakes);
  const [config, run] = [required("config"), required("run")];
  const state = folderOf("state", given.state, mistakes);
  const options = {
    config,
    set: given.set ?? [],
    run,
    state: state.folder,
    ...address(required("listen"), mistakes),
    successor: successor(role === "source" ? required("successor") : given.successor, tlsFiles, mistakes),
    // A variable that is set to nothing is as good as none.
    secretFile: given["secret-file"] ?? (environment.UNLOCKED_SECRET_FILE || undefined),
    tlsFiles,
    hub: hub(given.hub ?? (environment.UNLOCKED_HUB || undefined), tlsFiles, mistakes),
    control: given.control ?? environment.UNLOCKED_CONTROL === "1",
    ...(environment.NODE_NAME ? { node: environment.NODE_NAME } : {}),
    logFormat: format(given["log-format"] ?? "json", mistakes),
    trace: given.trace,
    layer: role === "layer" ? layerNumber(required("layer"), mistakes) : undefined,
  };
  const record = role === "source" ? folderOf("record", given.record, mistakes) : undefined;
  if (role === "source" && given.trace !== undefined) mistakes.push("--trace is for layers");
  if (mistakes.length > 0) throw new WorkerOptionsError(`Cannot start: ${mistakes.join("; ")}`);
  return { ...options, record: record?.folder, folders: record ? [state, record] : [state] };
}

type Role = "layer" | "source";

interface Flag {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  readonly only?: Role;
  readonly help: string;
}

/** In the order that help shows them. */
const FLAGS = {
  config: { type: "string", help: "FILE: the network and how it learns" },
  set: { type: "string", multiple: true, help: "PATH=VALUE, over the config; as often as you like" },
  run: { type: "string", help: "ID of the run, the same for all its workers" },
  layer: { type: "string", only: "layer", help: "N: which layer of the network this is, from 1" },
  record: {
    type: "string",
    multiple: true,
    only: "source",
    help: "FOLDER of the run's record, s3://… or both",
  },
  state: {
    type: "string",
    multiple: true,
    help: "FOLDER for what must outlive this process, s3://… or both",
  },
  listen: { type: "string", help: "HOST:PORT for the worker before it, probes and /metrics; port 0: any" },
  successor: {
    type: "string",
    help: "ws://HOST:PORT of the worker after it, wss:// with TLS; the last layer has none",
  },
  "secret-file": {
    type: "string",
    help: "FILE with the secret that neighbours share; or UNLOCKED_SECRET_FILE",
  },
  "tls-cert": { type: "string", help: "FILE, PEM; with --tls-key and --tls-ca the links are encrypted" },
  "tls-key": { type: "string", help: "FILE, PEM" },
  "tls-ca": { type: "string", help: "FILE, PEM: the authority that signed the other end's certificate" },
  hub: { type: "string", help: "ws://HOST:PORT of the hub to report to; or UNLOCKED_HUB" },
  control: { type: "boolean", help: "obey the hub: pause, stop, …; or UNLOCKED_CONTROL=1" },
  "log-format": { type: "string", help: "json or pretty" },
  trace: { type: "string", only: "layer", help: "FILE for a timeline of its work" },
} as const satisfies Record<string, Flag>;

/** Of one role, as --help prints it. */
export function workerHelp(role: Role): string {
  const flags = Object.entries(FLAGS as Record<string, Flag>).filter(([, { only = role }]) => only === role);
  const lines = flags.map(([name, { help }]) => `  --${name.padEnd(12)} ${help}`);
  return `One ${role} of a network, in a process of its own (docs/workers-by-hand.md).\n\n${lines.join("\n")}\n`;
}

/** What a worker is to be told; a deployment may leave the format of its log to a variable. */
export type WorkerArguments = Partial<Omit<WorkerOptions, "logFormat"> & { readonly logFormat: string }>;

/** The flags that readWorkerOptions reads as these options. */
export function argumentsOf(options: WorkerArguments): string[] {
  const { config, set = [], run, layer, record, state, folders, host, port, successor, trace } = options;
  const { secretFile, tlsFiles, hub, control, logFormat } = options;
  const urlOf = (folder: string | undefined) => folders?.find((each) => each.folder === folder)?.url;
  const flags: readonly (readonly [keyof typeof FLAGS, string | undefined])[] = [
    ["config", config],
    ...set.map((assignment) => ["set", assignment] as const),
    ["run", run],
    ["layer", layer?.toString()],
    ["record", record],
    ["record", urlOf(record)],
    ["state", state],
    ["state", urlOf(state)],
    ["listen", host === undefined ? undefined : `${host}:${port}`],
    ["successor", successor],
    ["secret-file", secretFile],
    ["tls-cert", tlsFiles?.certificate],
    ["tls-key", tlsFiles?.key],
    ["tls-ca", tlsFiles?.authority],
    ["hub", hub],
    ["trace", trace],
    ["log-format", logFormat],
  ];
  // In one piece: a value that begins with a dash would be taken for a flag.
  const given = flags.flatMap(([name, value]) => {
    if (value === undefined) return [];
    return value.startsWith("-") ? [`--${name}=${value}`] : [`--${name}`, value];
  });
  return [...given, ...(control ? ["--control"] : [])];
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS }).values;
  } catch (error) {
    throw new WorkerOptionsError(`Cannot start: ${(error as Error).message}`, { cause: error });
  }
}

function address(listen: string, mistakes: string[]): { host: string; port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[2] ?? 0);
  if (listen !== "" && (!match || port > 65535)) mistakes.push(`--listen is "${listen}", expected host:port`);
  return { host: match?.[1] ?? "", port };
}

const TLS_FLAGS = ["tls-cert", "tls-key", "tls-ca"] as const;

/** All three or none: half of it would be none, and look like some. */
function tls(
  given: { readonly [Flag in (typeof TLS_FLAGS)[number]]?: string | undefined },
  mistakes: string[],
): TlsFiles | undefined {
  const missing = TLS_FLAGS.filter((flag) => given[flag] === undefined);
  if (missing.length === TLS_FLAGS.length) return undefined;
  for (const flag of missing) mistakes.push(`--${flag} is missing beside the other flags of TLS`);
  const [certificate = "", key = "", authority = ""] = TLS_FLAGS.map((flag) => given[flag]);
  return { certificate, key, authority };
}

function successor(url: string | undefined, tlsFiles: TlsFiles | undefined, mistakes: string[]) {
  if (url === undefined || url === "") return url;
  const expected = tlsFiles ? "wss" : "ws";
  if (new RegExp(`^${expected}://[^/]`).test(url)) return url;
  const why = tlsFiles ? "as the links are encrypted" : "or --tls-cert, --tls-key and --tls-ca for wss://";
  mistakes.push(`--successor is "${url}", expected ${expected}://host:port, ${why}`);
  return url;
}

/** A hub on this machine needs no TLS, whatever the links have. */
function hub(url: string | undefined, tlsFiles: TlsFiles | undefined, mistakes: string[]) {
  if (url === undefined || /^ws:\/\/[^/]/.test(url)) return url;
  if (!/^wss:\/\/[^/]/.test(url))
    mistakes.push(`--hub is "${url}", expected ws://host:port or wss://host:port`);
  else if (!tlsFiles) mistakes.push(`--hub is "${url}", which needs --tls-cert, --tls-key and --tls-ca`);
  return url;
}

function layerNumber(text: string, mistakes: string[]): number {
  if (text !== "" && !/^[1-9]\d{0,3}$/.test(text)) mistakes.push(`--layer is "${text}", expected 1, 2, 3, …`);
  return Number(text);
}

function format(text: string, mistakes: string[]): "json" | "pretty" {
  if (text !== "json" && text !== "pretty")
    mistakes.push(`--log-format is "${text}", expected json or pretty`);
  return text === "pretty" ? "pretty" : "json";
}
