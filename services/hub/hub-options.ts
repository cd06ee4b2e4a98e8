import { parseArgs } from "node:util";
import { folderOf } from "../../shared/checkpoint/folder-flag.ts";

export interface HubOptions {
  /** The folder of the run that is watched; undefined where only the records of old runs are shown. */
  readonly record: string | undefined;
  /** s3://…, where that goes to as well. */
  readonly recordUrl: string | undefined;
  /** Its id, where that is not the folder's name. */
  readonly run: string | undefined;
  /** Where there is no config.yaml in the record yet: what it becomes. */
  readonly config: string | undefined;
  readonly set: readonly string[];
  /** The folder of all runs. */
  readonly runs: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Where a browser finds it, if not there. */
  readonly address: string | undefined;
  /** Names for it beside this machine's own. */
  readonly hostNames: readonly string[];
  readonly secretFile: string | undefined;
  readonly control: boolean;
  /** Most from all readers together; 0: no question is taken. */
  readonly questionsPerSecond: number;
  /** The process that started the workers on this machine writes logs/<worker>.log. */
  readonly logsElsewhere: boolean;
  readonly logFormat: "json" | "pretty";
}

class HubOptionsError extends Error {
  override readonly name = "HubOptionsError";
}

interface HubEnvironment {
  readonly UNLOCKED_SECRET_FILE?: string | undefined;
  /** "1" is as good as --control. */
  readonly UNLOCKED_CONTROL?: string | undefined;
  /** Where no --host-name is given; several are parted by commas. */
  readonly UNLOCKED_HOST_NAME?: string | undefined;
}

/** Throws a HubOptionsError that lists all mistakes. */
export function readHubOptions(argv: readonly string[], environment: HubEnvironment = {}): HubOptions {
  const given = parse(argv);
  const mistakes: string[] = [];
  if (given.record === undefined && given.runs === undefined) mistakes.push("--record or --runs is missing");
  const format = given["log-format"] ?? "json";
  if (format !== "json" && format !== "pretty") {
    mistakes.push(`--log-format is "${format}", expected json or pretty`);
  }
  const record = given.record && folderOf("record", given.record, mistakes);
  const options: HubOptions = {
    record: record?.folder,
    recordUrl: record?.url,
    run: given.run,
    config: given.config,
    set: given.set ?? [],
    runs: given.runs,
    ...address(given.listen ?? "127.0.0.1:7400", mistakes),
    address: given.address,
    hostNames: [...(given["host-name"] ?? []), ...(environment.UNLOCKED_HOST_NAME ?? "").split(",")]
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== ""),
    secretFile: given["secret-file"] ?? (environment.UNLOCKED_SECRET_FILE || undefined),
    control: given.control ?? environment.UNLOCKED_CONTROL === "1",
    questionsPerSecond: count("questions-per-second", given["questions-per-second"] ?? "50", mistakes),
    logsElsewhere: given["logs-elsewhere"] ?? false,
    logFormat: format === "pretty" ? "pretty" : "json",
  };
  if (mistakes.length > 0) throw new HubOptionsError(`Cannot start: ${mistakes.join("; ")}`);
  return options;
}

const text = { type: "string" } as const;
const yes = { type: "boolean" } as const;
const often = { type: "string", multiple: true } as const;

/** In the order that help shows them. */
const FLAGS = {
  record: { ...often, help: "FOLDER of the run to watch, s3://… or both" },
  run: { ...text, help: "ID of that run, if not the folder's name" },
  config: { ...text, help: "FILE: the run's config, if the folder has none yet" },
  set: { ...often, help: "PATH=VALUE, over the config; as often as you like" },
  runs: { ...text, help: "FOLDER of all runs, to show old ones" },
  listen: { ...text, help: "HOST:PORT, 127.0.0.1:7400 unless told otherwise" },
  address: { ...text, help: "URL at which browsers find it, if not there" },
  "host-name": { ...often, help: "NAME it may be called by, as often as you like; or UNLOCKED_HOST_NAME" },
  "secret-file": { ...text, help: "FILE with the secret that workers share; or UNLOCKED_SECRET_FILE" },
  control: { ...yes, help: "let the page pause, stop and kill workers; or UNLOCKED_CONTROL=1" },
  "questions-per-second": {
    ...text,
    help: "questions a second from all readers of the page, 50 unless told otherwise",
  },
  "logs-elsewhere": { ...yes, help: "do not write the workers' logs: another process does" },
  "log-format": { ...text, help: "json or pretty" },
} as const;

export function hubHelp(): string {
  const lines = Object.entries(FLAGS).map(([name, { help }]) => `  --${name.padEnd(20)} ${help}`);
  return `Watches a run, keeps its record and shows it.\n\n${lines.join("\n")}\n`;
}

/** The flags that readHubOptions reads as these options. */
export function hubArgumentsOf(options: Partial<HubOptions>): string[] {
  const { record, recordUrl, run, config, set = [], runs, host, port, address, hostNames = [] } = options;
  const { secretFile, control, questionsPerSecond, logsElsewhere, logFormat } = options;
  const listen = host === undefined ? undefined : `${host}:${port}`;
  const flags: readonly (readonly [keyof typeof FLAGS, string | undefined])[] = [
    ...[
      ["record", record] as const,
      ["record", recordUrl] as const,
      ["run", run] as const,
      ["config", config] as const,
    ],
    ...set.map((assignment) => ["set", assignment] as const),
    ...[["runs", runs] as const, ["listen", listen] as const, ["address", address] as const],
    ...hostNames.map((name) => ["host-name", name] as const),
    ["questions-per-second", questionsPerSecond?.toString()],
    ...[["secret-file", secretFile] as const, ["log-format", logFormat] as const],
  ];
  const given = flags.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  return [...given, ...(control ? ["--control"] : []), ...(logsElsewhere ? ["--logs-elsewhere"] : [])];
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS }).values;
  } catch (error) {
    throw new HubOptionsError(`Cannot start: ${(error as Error).message}`, { cause: error });
  }
}

function count(flag: string, text: string, mistakes: string[]): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  mistakes.push(`--${flag} is "${text}", expected a whole number from 0 to 9999`);
  return 0;
}

function address(listen: string, mistakes: string[]): { host: string; port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[2] ?? 0);
  if (!match || port > 65535) mistakes.push(`--listen is "${listen}", expected host:port`);
  return { host: match?.[1] ?? "", port };
}
