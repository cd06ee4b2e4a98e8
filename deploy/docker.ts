import { posix } from "node:path";
import type { Config } from "../shared/config/config.ts";
import { type DeployRequest, type Dialect, PORT, STORE_FILE, type Worker } from "./network.ts";

export const BIND = `\${UNLOCKED_BIND:-127.0.0.1}`;
export const PUBLISHED = `\${UNLOCKED_PORT:-${PORT}}`;

/**
 * Whether a worker answers, as a command. bash is in every Debian image and asks in a tenth of the time that a second node takes
 * to start: six of those every 10 seconds took a twelfth of two cores, and on a slow machine none was in time.
 */
export function healthCheck({ certs }: DeployRequest, { name }: Pick<Worker, "name">): readonly string[] {
  const connect = `exec 3<>/dev/tcp/127.0.0.1/${PORT}`;
  const ask = [
    connect,
    // The hub refuses who does not name it.
    String.raw`printf "GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:${PORT}\r\n\r\n" >&3`,
    "read -r _ status _ <&3",
    // Compose takes one of two dollars away.
    '[ "$$status" = 200 ]',
  ].join(" && ");
  // Encrypted, it answers only who shows a certificate.
  return ["CMD", "bash", "-c", certs === undefined || name === "hub" ? ask : connect];
}

/** The words of compose and of `docker stack`, which both replace what follows a dollar. */
export function dockerDialect(path: string, set: readonly string[]): Dialect {
  return {
    host: (name) => name,
    literal: escaped,
    variable: (name, otherwise) => `\${${name}:-${otherwise}}`,
    secrets: "/run/secrets",
    config: path,
    set,
    hubFlags: [
      ...["--host-name", "hub", "--host-name", `\${UNLOCKED_HOST_NAME:-hub}`],
      ...["--address", `http://${BIND}:${PUBLISHED}`],
    ],
  };
}

/** Of these workers: the name of each secret, and the file it is read from. */
export function secretFiles(
  { secretFile, store, storeFile, certs }: DeployRequest,
  workers: readonly Worker[],
): [name: string, file: string][] {
  const files: [string, string][] = [];
  if (secretFile !== undefined) files.push(["unlocked", secretFile]);
  if (store !== undefined && storeFile !== undefined) files.push([STORE_FILE, storeFile]);
  if (certs !== undefined) files.push(...workers.flatMap(({ name }) => certificateFiles(certs, name)));
  return [...new Map(files)].map(([name, file]) => [name, hostPath(file)]);
}

/** The hub has none. */
function certificateFiles(folder: string, worker: string): [name: string, file: string][] {
  if (worker === "hub") return [];
  return [
    ["tls-ca", `${folder}/ca.crt`],
    [`tls-${worker}-cert`, `${folder}/${worker}.crt`],
    [`tls-${worker}-key`, `${folder}/${worker}.key`],
  ];
}

/** Those of one worker: the secret, and its name inside the container. */
export function secretsOf(
  { secretFile, store, storeFile, certs }: DeployRequest,
  { name }: Pick<Worker, "name">,
): (string | { readonly source: string; readonly target: string })[] {
  const names = [
    ...(secretFile === undefined ? [] : ["unlocked"]),
    ...(store === undefined || storeFile === undefined ? [] : [STORE_FILE]),
  ];
  const certificate = certs === undefined ? [] : certificateFiles(certs, name).map(([source]) => source);
  return [
    ...names,
    ...certificate.map((source) => ({ source, target: `${source.replace(`-${name}-`, "-")}.pem` })),
  ];
}

/** Without a leading "./" compose would take it for the name of a volume. */
function hostPath(file: string): string {
  return posix.isAbsolute(file) ? file : `./${posix.normalize(file)}`;
}

/** The command that prints the same again. */
export function commandOf(command: string, path: string, request: DeployRequest): string {
  const { set = [], secretFile, store, storeFile, certs, image } = request;
  const flags = Object.entries({ "secret-file": secretFile, store, "store-file": storeFile, certs, image });
  return [
    `npm run --silent unlocked -- ${command} ${shellQuoted(path)}`,
    ...set.map((override) => `--set ${shellQuoted(override)}`),
    ...flags.flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag} ${shellQuoted(value)}`])),
  ].join(" ");
}

/** An override may have lines of its own. */
export function commented(lines: readonly string[]): string {
  return `${lines.join("\n").replace(/^/gm, "# ")}\n`;
}

/** A folder of data that is not in the image is lent to it; every worker is told the same, or their configs would differ. */
export function dataPlace({ data }: Config): { readonly set: string[]; readonly volumes: string[] } {
  if (!("path" in data) || data.path === undefined) return { set: [], volumes: [] };
  return { set: ["data.path=/data"], volumes: [`${escaped(hostPath(data.path))}:/data:ro`] };
}

/** `what` the image is to hold it for, in words. */
export function insideImage(configPath: string, what: string): string {
  const path = posix.normalize(configPath);
  if (path.startsWith("configs/")) return path;
  throw new Error(`Cannot make ${what}: the image holds what is in configs/, not ${configPath}`);
}

/** As it is: a dollar would be replaced with what follows it. */
export function escaped(text: string): string {
  return text.replaceAll("$", "$$$$");
}

function shellQuoted(text: string): string {
  return /^[\w.,:=@%/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
