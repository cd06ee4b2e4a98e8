import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { composeFile } from "../../deploy/compose.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import type { RunView } from "../../shared/record/hub-api.ts";

const command = [["docker", "compose"], ["docker-compose"]].find((words) => works([...words, "version"]));
const missing =
  command === undefined
    ? "there is neither docker compose nor docker-compose"
    : works(["docker", "info"])
      ? undefined
      : "no engine answers docker info";
if (missing !== undefined) console.warn(`The tests with containers are skipped: ${missing}.`);

const CONFIG = "configs/mnist.yaml";
const LAYERS = ["layer1", "layer2", "layer3", "layer4"];
const WORKERS = ["source", ...LAYERS];
const PROJECT = `unlocked-test-${process.pid}`;
const PATIENCE_MS = 120_000;

describe.skipIf(missing !== undefined)("a network of containers", () => {
  let folder: string;
  let file: string;
  let clearAway: () => Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "unlocked-compose-"));
    file = join(folder, "docker-compose.yml");
    describeRun(file, []);
    clearAway = callUndertaker(folder, file);
    await compose(file, "build");
  });
  afterEach(() => compose(file, "down", "--volumes", "--timeout", "5"));
  afterAll(() => clearAway());

  it("gives its workers no rights and no way out", async () => {
    describeRun(file, ENDLESS);
    await compose(file, "up", "--detach");
    await said("layer1", "training");
    for (const worker of WORKERS) {
      expect(await rightsIn(worker), worker).toEqual(["Uid 1000", "CapEff 0000000000000000", "NoNewPrivs 1"]);
      await expect(writeProgram(worker)).rejects.toThrow("Read-only file system");
      expect(await networksOf(worker), worker).toEqual([{ name: `${PROJECT}_mesh`, isInternal: true }]);
    }
  });

  it("finds its workers and its hub healthy", async () => {
    describeRun(file, ENDLESS);
    await compose(file, "up", "--detach");
    const all = [...WORKERS, "hub"];
    await vi.waitFor(async () => expect(await healthOf(all)).toEqual(all.map(() => "healthy")), 60_000);
  });

  it("shows on this machine's own port that layer 2 is killed, and is back, and keeps the record past the end", async () => {
    describeRun(file, RUN);
    await compose(file, "up", "--detach");
    const address = await published("hub");
    await said("layer2", "checkpoint");
    await compose(file, "kill", "layer2");
    await vi.waitFor(async () => expect(await contact(address, "layer2")).not.toBe("connected"), 60_000);
    await compose(file, "start", "layer2");
    await vi.waitFor(async () => expect(await contact(address, "layer2")).toBe("connected"), 60_000);
    expect(await exitCodes()).toEqual(allDone);
    const { row } = await viewAt(address);
    expect(row.batch).toBe(row.batches - 1);
    const page = await fetch(address);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await inside("hub", "ls", "/record")).toMatch(/config.yaml\n.*events.ndjson\n.*metrics.ndjson/s);
  });

  it("restarts a layer that crashes", async () => {
    describeRun(file, ENDLESS);
    await compose(file, "up", "--detach");
    await said("layer2", "training");
    await crash("layer2");
    await vi.waitFor(
      async () => expect(await lives("layer2")).toEqual({ restarts: 1, isRunning: true }),
      60_000,
    );
  });

  it("learns every batch once although layer 2 is killed", async () => {
    const batches = describeRun(file, RUN);
    await compose(file, "up", "--detach");
    await said("layer2", "checkpoint");
    await compose(file, "kill", "layer2");
    await Promise.all([said("layer1", "lost successor"), said("layer3", "lost predecessor")]);
    expect(await exitCode("layer2")).toBe(137);
    await compose(file, "start", "layer2");
    const restored = await said("layer2", "restored");
    expect(restored.batch).toBeLessThan(batches / 2);

    expect(await exitCodes()).toEqual(allDone);
    const { layers } = await summary(folder);
    expect(layers.map(({ applied }) => applied)).toEqual(LAYERS.map(() => [[0, batches - 1]]));
    expect(layers.map(({ layer }) => layer)).toEqual([1, 2, 3, 4]);
    expect(layers[1]!.restarts).toBeGreaterThanOrEqual(1);
    expect(layers[2]!.restarts).toBe(0);
    const story = await compose(file, "logs", "--no-color", "layer2");
    expect(story).toMatch(/started.*linked.*training.*started.*restored.*linked.*training.*done/s);
  });

  it("goes on from its volumes after all containers are gone", async () => {
    const batches = describeRun(file, RUN);
    await compose(file, "up", "--detach");
    await Promise.all(LAYERS.map((layer) => said(layer, "checkpoint")));
    await compose(file, "stop");
    expect(await exitCodes()).toEqual(allDone);
    await compose(file, "down");

    await compose(file, "up", "--detach");
    for (const layer of LAYERS) {
      const restored = await said(layer, "restored");
      expect(restored.batch, layer).toBeGreaterThan(0);
      expect(restored.batch, layer).toBeLessThan(batches - 1);
    }
    expect(await exitCodes()).toEqual(allDone);
    const { layers } = await summary(folder);
    expect(layers.map(({ applied }) => applied)).toEqual(LAYERS.map(() => [[0, batches - 1]]));
  });
});

/** Longer than anybody looks: docker asks for the first time whether a worker is healthy when 10 seconds are over. */
const ENDLESS = ["run.epochs=1000"];

// Ten times as long as it takes compose to kill a container: at the first checkpoint there is most of the run to go.
const RUN = ["run.batches=3000", "run.checkpointEvery=100"];
const allDone = Object.fromEntries(WORKERS.map((worker) => [worker, 0]));

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
function describeRun(file: string, set: readonly string[]): number {
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

async function compose(file: string, ...args: readonly string[]): Promise<string> {
  const [program, ...words] = [...composeWords(file), ...args];
  return (await execute(program!, words, { env: environment, maxBuffer: 2 ** 26 })).stdout;
}

/** Removes all that is left when it is told to, and also when this process dies before it could say so. */
function callUndertaker(folder: string, file: string): () => Promise<void> {
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

async function inside(worker: string, ...words: readonly string[]): Promise<string> {
  return docker("exec", await container(worker), ...words);
}

/** Where this machine reaches a container's port. */
async function published(worker: string): Promise<string> {
  const [port] = (await docker("port", await container(worker), "7400/tcp")).split("\n");
  return `http://${port}`;
}

async function viewAt(address: string): Promise<RunView> {
  return (await (await fetch(`${address}/api/runs/latest`)).json()) as RunView;
}

async function contact(address: string, worker: string): Promise<string | undefined> {
  return (await viewAt(address)).workers.find(({ name }) => name === worker)?.contact;
}

/** By root, who owns the program, so that only the file system can be in the way. */
async function writeProgram(worker: string): Promise<string> {
  return docker("exec", "--user", "0", await container(worker), "touch", "/app/new");
}

/** What the kernel says of the rights of every process in a container, each line once. */
async function rightsIn(worker: string): Promise<string[]> {
  const statuses = await inside(worker, "sh", "-c", "cat /proc/[0-9]*/status");
  const rights = statuses.matchAll(/^(Uid|CapEff|NoNewPrivs):\s+(\S+)/gm);
  return [...new Set([...rights].map(([, name, value]) => `${name} ${value}`))];
}

async function networksOf(worker: string): Promise<{ name: string; isInternal: boolean }[]> {
  const format = "{{json .NetworkSettings.Networks}}";
  const names = Object.keys(JSON.parse(await docker("inspect", "--format", format, await container(worker))));
  const isInternal = names.map((name) => docker("network", "inspect", "--format", "{{.Internal}}", name));
  const answers = await Promise.all(isInternal);
  return names.map((name, index) => ({ name, isInternal: answers[index] === "true" }));
}

/** From inside: the engine has not been told that somebody wants the container dead. */
async function crash(worker: string): Promise<void> {
  await inside(worker, "sh", "-c", "kill -9 $(cat /proc/1/task/1/children)");
}

async function lives(worker: string): Promise<{ restarts: number; isRunning: boolean }> {
  const [state] = JSON.parse(await docker("inspect", await container(worker)));
  return { restarts: state.RestartCount, isRunning: state.State.Running };
}

/** Of each: "starting" until its first check. */
async function healthOf(services: readonly string[]): Promise<string[]> {
  const format = "{{.State.Health.Status}}";
  return Promise.all(
    services.map(async (worker) => docker("inspect", "--format", format, await container(worker))),
  );
}

async function exitCode(worker: string): Promise<number> {
  return Number(await docker("wait", await container(worker)));
}

/** Of every worker, as soon as the last one has stopped. */
async function exitCodes(): Promise<Record<string, number>> {
  const codes = await Promise.all(WORKERS.map(async (worker) => [worker, await exitCode(worker)]));
  return Object.fromEntries(codes);
}

interface Line {
  readonly msg?: string;
  readonly batch?: number;
}

/** Resolves with the first line of a worker's log that says it. Rejects when the log ends without, or takes too long. */
async function said(worker: string, what: string): Promise<Line> {
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

async function summary(folder: string): Promise<Summary> {
  await docker("cp", `${await container("source")}:/record/summary.json`, folder);
  return JSON.parse(readFileSync(join(folder, "summary.json"), "utf8")) as Summary;
}
