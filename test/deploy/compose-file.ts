import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "vitest";
import { parse } from "yaml";
import { composeFile } from "../../deploy/compose.ts";
import type { Config } from "../../shared/config/config.ts";
import { loadConfig } from "../../shared/config/read-config.ts";

interface Service {
  readonly healthcheck: { readonly test: readonly string[] };
  readonly networks: readonly string[];
  readonly image: string;
  readonly build?: unknown;
  readonly command: readonly string[];
  readonly volumes: readonly string[];
  readonly mem_limit: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
}

/** Of what 1.29.2 accepts (tried) and the compose specification knows. */
export const understood = new Set([
  ...[
    "image",
    "profiles",
    "pull_policy",
    "build",
    "command",
    "init",
    "read_only",
    "tmpfs",
    "cap_drop",
    "security_opt",
  ],
  ...[
    "pids_limit",
    "mem_limit",
    "networks",
    "ports",
    "environment",
    "volumes",
    "restart",
    "stop_grace_period",
    "healthcheck",
    "logging",
  ],
]);

/** `set` is in the config and told; `alsoTold` is only told. */
export function make(configPath: string, set: readonly string[] = [], alsoTold: readonly string[] = []) {
  const { config } = loadConfig(configPath, set);
  const text = composeFile(config, { configPath, set: [...set, ...alsoTold] });
  const file = parse(text, { merge: true }) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const { prometheus, grafana, ...services } = file.services;
  const observers = { prometheus: prometheus!, grafana: grafana! };
  return { config, text, services, observers, volumes: file.volumes };
}

/** A service's command line after compose has read it: every flag with its values. */
export function told(service: Service, environment: Readonly<Record<string, string>> = {}) {
  const [program, ...rest] = service.command.map((word) => interpolate(word, environment));
  const flags: Record<string, string[]> = {};
  for (let at = 0; at < rest.length; at += 2) {
    const flag = rest[at]!;
    flags[flag] = [...(flags[flag] ?? []), rest[at + 1]!];
  }
  return { program, flags };
}

/** As compose does it, as far as we use it: $$ is a dollar, ${NAME:-default} a variable; anything else is an error. */
export function interpolate(word: string, environment: Readonly<Record<string, string>>): string {
  return word.replace(/\$(\$|\{(\w+):-([^}]*)\})?/g, (all, kind, name, otherwise) => {
    if (kind === undefined) throw new Error(`Cannot read ${word}: ${all} is not closed`);
    return kind === "$" ? "$" : (environment[name] ?? otherwise);
  });
}

export function configTold(service: Service): Config {
  const { flags } = told(service);
  return loadConfig(flags["--config"]![0]!, flags["--set"] ?? []).config;
}

/** With a worker that listens on this port. */
export async function askHealth(service: Service, port: number): Promise<"is healthy" | "is not"> {
  const [kind, program, ...words] = service.healthcheck.test.map((word) => interpolate(word, {}));
  expect(kind).toBe("CMD");
  const aimed = words.map((word) => word.replace("/7400", `/${port}`));
  try {
    await promisify(execFile)(program!, aimed);
    return "is healthy";
  } catch {
    return "is not";
  }
}

export function mebibytes(service: Service): number {
  return Number(/^(\d+)m$/.exec(service.mem_limit)![1]);
}
