import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** Makes and ends a real Swarm of several nodes on this machine; beside the project, where there is one. */
const SCRIPT = "../shared/docker/swarm";
/** This machine, as the nodes reach it. */
export const OUTSIDE = "10.77.0.254";

const execute = promisify(execFile);

export interface SwarmNode {
  readonly number: number;
  readonly socket: string;
  readonly address: string;
}

/** Why there can be no Swarm here; undefined if there can. */
export function whyNoSwarm(): string | undefined {
  if (!existsSync(SCRIPT)) return `there is no ${SCRIPT}`;
  if (process.getuid?.() !== 0) return "it takes root";
  try {
    execFileSync("docker", ["info"], { stdio: "ignore", timeout: 20_000 });
    return undefined;
  } catch {
    return "no engine answers docker info";
  }
}

export class Swarm {
  readonly nodes: readonly SwarmNode[];

  private constructor(nodes: readonly SwarmNode[]) {
    this.nodes = nodes;
  }

  static async up(count: number): Promise<Swarm> {
    const { stdout } = await execute(SCRIPT, ["up", String(count)]);
    const nodes = [...stdout.matchAll(/^node (\d+) (unix:\S+) (\S+)$/gm)].map(
      ([, number, socket, address]) => ({
        ...{ number: Number(number), socket: socket!, address: address! },
      }),
    );
    return new Swarm(nodes);
  }

  async down(): Promise<void> {
    for (const { number } of this.nodes) await link(number, "up").catch(() => undefined);
    await execute(SCRIPT, ["down"]);
  }

  /** Asked of the manager unless another node is named. */
  async docker(args: readonly string[], node = this.nodes[0]!): Promise<string> {
    const { stdout } = await execute("docker", ["-H", node.socket, ...args], { maxBuffer: 2 ** 26 });
    return stdout.trim();
  }

  /** Puts an image of this machine's engine on every node: there is no registry. */
  async load(image: string): Promise<void> {
    for (const { socket } of this.nodes)
      await execute("bash", ["-c", 'docker save "$0" | docker -H "$1" load', image, socket]);
  }

  /** The node on which a service's task runs now; undefined while none does. */
  async nodeOf(service: string): Promise<SwarmNode | undefined> {
    return (await this.nodesOf(service))[0];
  }

  /** The ids of a service's containers that run on a node. */
  async containersOf(service: string, node: SwarmNode): Promise<string[]> {
    const label = `label=com.docker.swarm.service.name=${service}`;
    const ids = await this.docker(["ps", "--quiet", "--filter", label, "--filter", "status=running"], node);
    return ids.split("\n").filter((id) => id !== "");
  }

  /** All of them: one that was cut off goes on with what it has. */
  async nodesOf(service: string): Promise<SwarmNode[]> {
    // An engine that was killed does not answer.
    const found = await Promise.all(
      this.nodes.map((node) => this.containersOf(service, node).catch((): string[] => [])),
    );
    return this.nodes.filter((_, index) => found[index]!.length > 0);
  }
}

/**
 * Ends a node's engine at once; what it ran runs on without it. The function it returns starts it again, as the script did:
 * in the node's network, with a folder of its own at /run/docker.
 */
export async function killEngine({ number, socket }: SwarmNode): Promise<() => void> {
  const pid = Number(readFileSync(`${dirname(socket.replace("unix://", ""))}/pid`, "utf8"));
  const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  process.kill(pid, "SIGKILL");
  while (existsSync(`/proc/${pid}/fd`)) await new Promise((resolve) => setTimeout(resolve, 20));
  const inNetwork = ["nsenter", `--net=/var/run/netns/sw${number}`, "unshare", "-m", "sh", "-c"];
  const script =
    'mkdir -p /run/docker; mount -t tmpfs none /run/docker; mkdir -p /run/docker/netns; exec "$@"';
  return () => {
    const engine = spawn("setsid", [...inNetwork, script, "sh", ...command], {
      detached: true,
      stdio: "ignore",
    });
    engine.unref();
  };
}

/** The cable of a node. */
export async function link(node: number, state: "up" | "down"): Promise<void> {
  await execute("ip", ["link", "set", `sw${node}`, state]);
}
