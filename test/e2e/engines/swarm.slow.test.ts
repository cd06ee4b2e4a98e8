import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { swarmStack } from "../../../deploy/swarm.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import type { RunView, WorkerView } from "../../../shared/record/hub-api.ts";
import type { Summary } from "../../../shared/record/summary.ts";
import { BUCKET, ObjectServer } from "../../support/engines/object-server.ts";
import { killEngine, link, OUTSIDE, Swarm, type SwarmNode, whyNoSwarm } from "../../support/engines/swarm.ts";

const missing = whyNoSwarm();
if (missing !== undefined) console.warn(`The tests with a Swarm are skipped: ${missing}.`);

const CONFIG = "configs/mnist.yaml";
const LAYERS = ["layer1", "layer2", "layer3", "layer4"];
const IMAGE = `unlocked-swarm-test-${process.pid}`;
const MINUTE = 60_000;
/** More of them by hand, as each takes the engine most of a minute: UNLOCKED_NODE_LOSS=drains,cables,engines. */
const losses = readLosses(process.env.UNLOCKED_NODE_LOSS ?? "0,2,1");

describe.skipIf(missing !== undefined)("a network on a Swarm of three nodes", () => {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-swarm-"));
  let swarm: Swarm;
  let server: ObjectServer;
  let count = 0;
  let prefix: string;

  beforeAll(async () => {
    const version = `NODE_VERSION=${process.versions.node.split(".")[0]}`;
    await promisify(execFile)("docker", ["build", "--quiet", "--build-arg", version, "--tag", IMAGE, "."]);
    swarm = await Swarm.up(3);
    await swarm.load(IMAGE);
    server = await ObjectServer.start({ host: OUTSIDE });
  }, 20 * MINUTE);
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.error(await whatIs(swarm));
    for (const { number } of swarm.nodes) await link(number, "up");
    await swarm.docker(["stack", "rm", "net"]).catch(() => "");
    // Its networks go when its containers are gone, and a new stack of the name waits for that.
    await vi.waitFor(async () => {
      for (const node of swarm.nodes) expect(await swarm.docker(["ps", "--quiet"], node)).toBe("");
      expect(await swarm.docker(["network", "ls", "--quiet", "--filter", "name=net_"])).toBe("");
    }, 2 * MINUTE);
  }, 3 * MINUTE);
  afterAll(async () => {
    await swarm?.down();
    await server?.close();
    execFileSync("docker", ["rmi", "--force", IMAGE], { stdio: "ignore" });
    rmSync(folder, { recursive: true });
  }, 5 * MINUTE);

  /** Prints the stack file and deploys it as it is. */
  async function deploy(set: readonly string[]): Promise<number> {
    const { config } = loadConfig(CONFIG, set);
    prefix = `run${++count}`;
    const storeFile = join(folder, "store.ini");
    writeFileSync(storeFile, storeFileOf(server.environment(OUTSIDE)));
    const secretFile = join(folder, "secret");
    writeFileSync(secretFile, "what the workers of this run know");
    const request = {
      configPath: CONFIG,
      set,
      image: IMAGE,
      store: `s3://${BUCKET}/${prefix}`,
      storeFile,
      secretFile,
    };
    const file = join(folder, "stack.yml");
    writeFileSync(file, swarmStack(config, request));
    await swarm.docker(["stack", "deploy", "--resolve-image", "never", "--compose-file", file, "net"]);
    return config.run.batches;
  }

  async function summary(patienceMs: number): Promise<Summary> {
    const read = () => server.read(`${prefix}/record/summary.json`);
    return JSON.parse((await vi.waitFor(read, { timeout: patienceMs, interval: 500 })).toString());
  }

  /** As the page has it, from the node where the hub is. */
  async function view(): Promise<RunView> {
    const headers = { host: "127.0.0.1:7400" };
    const asked = swarm.nodes.map(({ address }) =>
      getText(`http://${address}:7400/api/runs/latest`, headers),
    );
    return JSON.parse(await Promise.any(asked)) as RunView;
  }

  it("trains over the nodes, from the stack file as it is printed", { timeout: 10 * MINUTE }, async () => {
    const batches = await deploy([]);
    await vi.waitFor(async () => {
      const workers = (await view()).workers.filter(({ name }) => name !== "source");
      expect(new Set(workers.map(({ node }) => node)).size).toBeGreaterThan(0);
      for (const worker of workers) {
        expect(worker.contact).toBe("connected");
        expect(worker.store).toBe(`s3://${BUCKET}/${prefix}/${worker.name}`);
      }
    }, 2 * MINUTE);
    const places = await Promise.all(LAYERS.map((layer) => swarm.nodeOf(`net_${layer}`)));
    expect(new Set(places.map((node) => node?.number)).size).toBeGreaterThan(1);
    const { layers, test } = await summary(8 * MINUTE);
    expect(layers.map(({ applied }) => applied)).toEqual(LAYERS.map(() => [[0, batches - 1]]));
    expect(test.error).toBeLessThanOrEqual(0.022);
  });

  it("goes on elsewhere when nodes are drained, their cables pulled, and their engines killed", {
    timeout: 120 * MINUTE,
  }, async () => {
    const { drains, cables, engines } = losses;
    await deploy(["run.epochs=100000"]);
    const training = async () => expect(await worker("layer2")).toMatchObject({ state: "training" });
    await vi.waitFor(training, 2 * MINUTE);
    for (let round = 1; round <= drains; round++) {
      const { layer, node } = await spareLayer();
      console.info(
        `drain ${round}, node ${node.number}: ${layer} learns after ${await drain(layer, node)} ms`,
      );
    }
    for (let round = 1; round <= cables; round++) {
      const { layer, node } = await spareLayer();
      console.info(`cable ${round}, node ${node.number}: ${layer} ${await lose(layer, node, unplug)}`);
    }
    for (let round = 1; round <= engines; round++) {
      const { layer, node } = await spareLayer();
      console.info(`engine ${round}, node ${node.number}: ${layer} ${await lose(layer, node, killEngine)}`);
    }
    for (const layer of LAYERS) {
      const [[first, last], ...more] = await appliedBy(layer);
      console.info(`${layer} learnt batches ${first} to ${last}`);
      expect([first, more]).toEqual([0, []]);
    }
  });

  /** By the ledger that it logs when it is told to stop. */
  async function appliedBy(layer: string): Promise<[[number, number], ...[number, number][]]> {
    const node = (await swarm.nodeOf(`net_${layer}`))!;
    const [container] = await swarm.containersOf(`net_${layer}`, node);
    await swarm.docker(["kill", "--signal", "TERM", container!], node);
    await swarm.docker(["wait", container!], node);
    const { groups } = /applied=(?<ledger>\S+)/.exec(
      await swarm.docker(["logs", "--tail", "3", container!], node),
    )!;
    return JSON.parse(groups!.ledger!);
  }

  /** How long until the layer learns on another node. */
  async function drain(layer: string, node: SwarmNode): Promise<number> {
    const id = await swarm.docker(["info", "--format", "{{.Swarm.NodeID}}"], node);
    const { incarnation } = await worker(layer);
    const began = performance.now();
    await swarm.docker(["node", "update", "--availability", "drain", id]);
    await isBack(layer, incarnation);
    const took = Math.round(performance.now() - began);
    await swarm.docker(["node", "update", "--availability", "active", id]);
    return took;
  }

  /** Takes a node away, waits until the layer learns elsewhere, and brings it back a minute after. */
  async function lose(
    layer: string,
    node: SwarmNode,
    take: (node: SwarmNode) => Promise<() => void>,
  ): Promise<string> {
    const { incarnation } = await worker(layer);
    const [old] = await swarm.containersOf(`net_${layer}`, node);
    const process = Number(await swarm.docker(["inspect", "--format", "{{.State.Pid}}", old!], node));
    const moved = await servicesOn(node);
    const ended = endOf(process);
    const giveBack = await take(node);
    const cut = Date.now();
    await isBack(layer, incarnation);
    // A layer learns once its neighbours are placed, too.
    const placed = Math.max(...(await Promise.all(moved.map((service) => startedAt(service, node)))));
    const learnt = await firstSaid(`net_${layer}`, node, / training batch=/);
    await vi.waitFor(() => expect(Date.now() - cut).toBeGreaterThan(MINUTE), 2 * MINUTE);
    giveBack();
    const returned = Date.now();
    const left = await ended;
    // What it said without an engine, nobody has kept.
    const log = await swarm.docker(["logs", "--timestamps", "--tail", "1", old!], node).catch(() => "");
    const [at, ...last] = log.split(" ");
    // The engine takes the node back in its own time.
    const statuses = () => swarm.docker(["node", "ls", "--format", "{{.Status}}"]);
    await vi.waitFor(async () => expect(await statuses()).not.toContain("Down"), 2 * MINUTE);
    const [elsewhere, own] = [placed - cut, learnt - placed];
    return `and ${moved.length - 1} more run elsewhere after ${elsewhere} ms, it learns ${own} ms later; its old copy ended ${left - placed} ms after that start, ${left - returned} ms after the node was back; it said last, ${Date.parse(at!) - returned} ms after that: ${last.slice(0, 3).join(" ")}`;
  }

  async function servicesOn(node: SwarmNode): Promise<string[]> {
    const services = ["source", ...LAYERS].map((name) => `net_${name}`);
    const found = await Promise.all(services.map((service) => swarm.containersOf(service, node)));
    return services.filter((_, index) => found[index]!.length > 0);
  }

  /** When the engine started a service's container elsewhere. */
  async function startedAt(service: string, than: SwarmNode): Promise<number> {
    const { container, node } = await elsewhere(service, than);
    return Date.parse(await swarm.docker(["inspect", "--format", "{{.State.StartedAt}}", container], node));
  }

  /** When a service's container elsewhere logged this first: the page may know it sooner. */
  async function firstSaid(service: string, than: SwarmNode, wanted: RegExp): Promise<number> {
    const { container, node } = await elsewhere(service, than);
    return vi.waitFor(async () => {
      const lines = (await swarm.docker(["logs", "--timestamps", container], node)).split("\n");
      const said = lines.find((line) => wanted.test(line));
      if (said === undefined) throw new Error(`${service} did not log ${wanted}`);
      return Date.parse(said.split(" ")[0]!);
    }, MINUTE);
  }

  /** As soon as it runs there: of several services that move, one is placed first. */
  function elsewhere(service: string, than: SwarmNode) {
    return vi.waitFor(async () => {
      const node = (await swarm.nodesOf(service)).find(({ number }) => number !== than.number)!;
      const [container] = await swarm.containersOf(service, node);
      if (container === undefined) throw new Error(`${service} runs on node ${than.number} alone`);
      return { node, container };
    }, MINUTE);
  }

  async function worker(name: string): Promise<WorkerView> {
    return (await view()).workers.find((each) => each.name === name)!;
  }

  /** A layer that runs on any node but the manager, which alone knows who runs where. */
  async function spareLayer(): Promise<{ layer: string; node: SwarmNode }> {
    for (const layer of LAYERS) {
      const node = await swarm.nodeOf(`net_${layer}`);
      if (node && node.number > 1) return { layer, node };
    }
    throw new Error("every layer runs on the manager");
  }

  /** In a newer life, and learning. */
  async function isBack(name: string, before: number): Promise<void> {
    await vi.waitFor(
      async () => {
        const { incarnation, state, contact } = await worker(name);
        expect(incarnation).toBeGreaterThan(before);
        expect({ state, contact }).toEqual({ state: "training", contact: "connected" });
      },
      { timeout: 2 * MINUTE, interval: 200 },
    );
  }
});

/** When a process is gone. */
async function endOf(pid: number): Promise<number> {
  while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 20));
  return Date.now();
}

/** Pulls the cable of a node; the function it returns plugs it in again. */
async function unplug({ number }: SwarmNode): Promise<() => void> {
  await link(number, "down");
  return () => void link(number, "up");
}

function readLosses(text: string) {
  const [drains = 1, cables = 1, engines = 1] = text.split(",").map(Number);
  return { drains, cables, engines };
}

/** Where its nodes and tasks stand, and what the workers said last. */
async function whatIs(swarm: Swarm): Promise<string> {
  const parts = [
    ["node", "ls"],
    ["stack", "ps", "--no-trunc", "net"],
    ...["hub", "source", ...LAYERS].map((name) => ["service", "logs", "--tail", "20", `net_${name}`]),
  ];
  const texts = parts.map((args) => swarm.docker(args).catch((error: Error) => error.message));
  return (await Promise.all(texts)).join("\n\n");
}

/** As AWS's own programs read it. */
function storeFileOf(environment: Readonly<Record<string, string>>): string {
  return [
    "[default]",
    `aws_access_key_id = ${environment.AWS_ACCESS_KEY_ID}`,
    `aws_secret_access_key = ${environment.AWS_SECRET_ACCESS_KEY}`,
    `region = ${environment.AWS_REGION}`,
    `endpoint_url = ${environment.AWS_ENDPOINT_URL_S3}`,
    "",
  ].join("\n");
}

/** fetch would say the host itself. */
function getText(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, timeout: 1000 }, (response) => {
      let text = "";
      response.on("data", (bytes) => (text += bytes)).on("end", () => resolve(text));
    });
    request.on("timeout", () => request.destroy(new Error("no answer"))).on("error", reject);
  });
}
