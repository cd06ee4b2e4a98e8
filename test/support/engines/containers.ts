import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { composeFile } from "../../../deploy/compose.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import type { RunView } from "../../../shared/record/hub-api.ts";

const command = [["docker", "compose"], ["docker-compose"]].find((words) => works([...words, "version"]));
export const missing =
  command === undefined
    ? "there is neither docker compose nor docker-compose"
    : works(["docker", "info"])
      ? undefined
      : "no engine answers docker info";
if (missing !== undefined) console.warn(`The tests with containers are skipped: ${missing}.`);

const CONFIG = "configs/mnist.yaml";
export const LAYERS = ["layer1", "layer2", "layer3", "layer4"];
export const WORKERS = ["source", ...LAYERS];
export const PROJECT = `unlocked-test-${process.pid}`;
const PATIENCE_MS = 120_000;

function works([program, ...args]: readonly string[]): boolean {
  try {
    execFileSync(program!, args, { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

const execute = promisify(execFile);

async function docker(...args: readonly string[]): Promise<string> {
  return (await execute("docker", args)).stdout.trim();
}

/** Writes the compose file of a run with these overrides; how many batches it has. */
export function describeRun(file: string, set: readonly string[]): number {
  const { config } = loadConfig(CONFIG, set);
  writeFileSync(file, composeFile(config, { configPath: CONFIG, set }));
  return config.run.batches;
}

const environment = {
  ...process.env,
  NODE_VERSION: process.versions.node.split(".")[0],
  UNLOCKED_IMAGE: PROJECT,
  UNLOCKED_LOG: "json",
  // Any that is free.
  UNLOCKED_PORT: "0",
};

function composeWords(file: string): string[] {
  return [...command!, "--project-directory", process.cwd(), "--project-name", PROJECT, "--file", file];
}

export async function compose(file: string, ...args: readonly string[]): Promise<string> {
  const [program, ...words] = [...composeWords(file), ...args];
  return (await execute(program!, words, { env: environment, maxBuffer: 2 ** 26 })).stdout;
}

/** Removes all that is left when it is told to, and also when this process dies before it could say so. */
export function callUndertaker(folder: string, file: string): () => Promise<void> {
  const clean = [...composeWords(file), "down", "--volumes", "--timeout", "5", "--rmi", "all"];
  const script = 'cat; folder=$1; shift; "$@"; rm -r "$folder"';
  const process = spawn("sh", ["-c", script, "sh", folder, ...clean], {
    detached: true,
    env: environment,
    stdio: ["pipe", "ignore", "ignore"],
  });
  return async () => {
    process.stdin.end();
    await once(process, "exit");
  };
}

/** Names of containers differ between generations of compose, their labels do not. */
async function container(worker: string): Promise<string> {
  const labels = [`project=${PROJECT}`, `service=${worker}`];
  const filters = labels.flatMap((label) => ["--filter", `label=com.docker.compose.${label}`]);
  return docker("ps", "--all", "--quiet", "--no-trunc", ...filters);
}

export async function inside(worker: string, ...words: readonly string[]): Promise<string> {
  return docker("exec", await container(worker), ...words);
}

/** Where this machine reaches a container's port. */
export async function published(worker: string): Promise<string> {
  const [port] = (await docker("port", await container(worker), "7400/tcp")).split("\n");
  return `http://${port}`;
}

export async function viewAt(address: string): Promise<RunView> {
  return (await (await fetch(`${address}/api/runs/latest`)).json()) as RunView;
}

export async function contact(address: string, worker: string): Promise<string | undefined> {
  return (await viewAt(address)).workers.find(({ name }) => name === worker)?.contact;
}

/** By root, who owns the program, so that only the file system can be in the way. */
export async function writeProgram(worker: string): Promise<string> {
  return docker("exec", "--user", "0", await container(worker), "touch", "/app/new");
}

/** What the kernel says of the rights of every process in a container, each line once. */
export async function rightsIn(worker: string): Promise<string[]> {
  const statuses = await inside(worker, "sh", "-c", "cat /proc/[0-9]*/status");
  const rights = statuses.matchAll(/^(Uid|CapEff|NoNewPrivs):\s+(\S+)/gm);
  return [...new Set([...rights].map(([, name, value]) => `${name} ${value}`))];
}

export async function networksOf(worker: string): Promise<{ name: string; isInternal: boolean }[]> {
  const format = "{{json .NetworkSettings.Networks}}";
  const names = Object.keys(JSON.parse(await docker("inspect", "--format", format, await container(worker))));
  const isInternal = names.map((name) => docker("network", "inspect", "--format", "{{.Internal}}", name));
  const answers = await Promise.all(isInternal);
  return names.map((name, index) => ({ name, isInternal: answers[index] === "true" }));
}

/** From inside: the engine has not been told that somebody wants the container dead. */
export async function crash(worker: string): Promise<void> {
  await inside(worker, "sh", "-c", "kill -9 $(cat /proc/1/task/1/children)");
}

export async function lives(worker: string): Promise<{ restarts: number; isRunning: boolean }> {
  const [state] = JSON.parse(await docker("inspect", await container(worker)));
  return { restarts: state.RestartCount, isRunning: state.State.Running };
}

/** Of each: "starting" until its first check. */
export async function healthOf(services: readonly string[]): Promise<string[]> {
  const format = "{{.State.Health.Status}}";
  return Promise.all(
    services.map(async (worker) => docker("inspect", "--format", format, await container(worker))),
  );
}

export async function exitCode(worker: string): Promise<number> {
  return Number(await docker("wait", await container(worker)));
}

/** Of every worker, as soon as the last one has stopped. */
export async function exitCodes(): Promise<Record<string, number>> {
  const codes = await Promise.all(WORKERS.map(async (worker) => [worker, await exitCode(worker)]));
  return Object.fromEntries(codes);
}

interface Line {
  readonly msg?: string;
  readonly batch?: number;
}

/** Resolves with the first line of a worker's log that says it. Rejects when the log ends without, or takes too long. */
export async function said(worker: string, what: string): Promise<Line> {
  const follower = spawn("docker", ["logs", "--follow", await container(worker)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: PATIENCE_MS,
  });
  const last: string[] = [];
  try {
    for await (const text of createInterface(follower.stdout)) {
      const line = parseLine(text);
      if (line.msg === what) return line;
      last.push(text);
    }
  } finally {
    follower.kill();
  }
  throw new Error(`${worker} never said "${what}", but last:\n${last.slice(-10).join("\n")}`);
}

function parseLine(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return {};
  }
}

interface Summary {
  readonly layers: readonly {
    readonly layer: number;
    readonly applied: unknown;
    readonly restarts: number;
  }[];
}

export async function summary(folder: string): Promise<Summary> {
  await docker("cp", `${await container("source")}:/record/summary.json`, folder);
  return JSON.parse(readFileSync(join(folder, "summary.json"), "utf8")) as Summary;
}
