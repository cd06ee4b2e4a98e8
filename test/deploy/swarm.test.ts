import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { DeployRequest } from "../../deploy/network.ts";
import { swarmStack } from "../../deploy/swarm.ts";
import { loadConfig } from "../../shared/config/read-config.ts";

const CONFIG = "configs/mnist.yaml";

describe("a stack file", () => {
  const { services, networks } = make();
  const workers = Object.keys(services);

  it("has a service for the source, each layer and the hub, chained by name", () => {
    expect(workers).toEqual(["source", "layer1", "layer2", "layer3", "layer4", "hub"]);
    expect(workers.map((name) => flag(services[name], "--successor"))).toEqual([
      ...[1, 2, 3, 4].map((layer) => `ws://layer${layer}:7400`),
      undefined,
      undefined,
    ]);
  });

  it("asks nothing of the kernel that the engine's own balancing would, and spreads over the nodes", () => {
    for (const name of workers) {
      const { deploy } = services[name];
      expect(deploy.endpoint_mode).toBe("dnsrr");
      expect(deploy.placement.preferences).toEqual([{ spread: "node.id" }]);
      expect(deploy.restart_policy.condition).toBe("on-failure");
      // Two copies of a worker would fence each other out.
      expect(deploy.update_config.order).toBe("stop-first");
    }
    expect(services.hub.ports).toEqual([
      { target: 7400, published: `\${UNLOCKED_PORT:-7400}`, protocol: "tcp", mode: "host" },
    ]);
    expect(networks.mesh).toEqual({ driver: "overlay", internal: true });
  });

  it("tells each worker which node it is on", () => {
    for (const name of workers) expect(services[name].environment.NODE_NAME).toBe("{{.Node.Hostname}}");
  });

  it("says nothing that `docker stack deploy` refuses", () => {
    const refused = [
      "build",
      "forbidden properties",
      "pids_limit",
      "pull_policy",
      "profiles",
      "security_opt",
      "restart",
    ];
    for (const name of workers) {
      expect(Object.keys(services[name]).filter((key) => refused.includes(key))).toEqual([]);
    }
  });

  it("keeps what a layer knows in the store too, where there is one, and lets it get there", () => {
    const stack = make({ store: "s3://bucket/prefix/", storeFile: "store.ini", secretFile: "secret" });
    expect(flags(stack.services.layer2, "--state")).toEqual(["/state", "s3://bucket/prefix/layer2"]);
    expect(flags(stack.services.source, "--state")).toEqual(["/record/state", "s3://bucket/prefix/source"]);
    expect(flags(stack.services.source, "--record")).toEqual(["/record", "s3://bucket/prefix/record"]);
    expect(flags(stack.services.hub, "--record")).toEqual(["/record", "s3://bucket/prefix/record"]);
    expect(stack.networks.mesh.internal).toBe(false);
    expect(stack.secrets).toEqual({ unlocked: { file: "./secret" }, store: { file: "./store.ini" } });
    for (const service of Object.values(stack.services)) {
      expect(service).toMatchObject({
        secrets: ["unlocked", "store"],
        environment: {
          AWS_SHARED_CREDENTIALS_FILE: "/run/secrets/store",
          AWS_CONFIG_FILE: "/run/secrets/store",
        },
      });
    }
  });

  it("leaves nothing on a node for a later run where there is a store, and else keeps a volume for each worker", () => {
    const stored = make({ store: "s3://bucket/prefix" });
    for (const name of workers) {
      const folder = /^layer/.test(name) ? "/state" : "/record";
      expect(services[name].volumes[0]).toEqual({ type: "volume", source: name, target: folder });
      expect(stored.services[name].volumes[0]).toEqual({ type: "volume", target: folder });
    }
    expect([make().volumes, stored.volumes].map((volumes) => Object.keys(volumes ?? {}))).toEqual([
      workers,
      [],
    ]);
  });

  it("lends each worker its own certificate, and encrypts its links", () => {
    const { services, secrets } = make({ certs: "certs" });
    expect(flag(services.layer1, "--successor")).toBe("wss://layer2:7400");
    expect(flag(services.layer2, "--tls-key")).toBe("/run/secrets/tls-key.pem");
    expect(services.layer2.secrets).toEqual(
      [
        { source: "tls-ca", target: "tls-ca.pem" },
        { source: "tls-layer2-cert", target: "tls-cert.pem" },
        { source: "tls-layer2-key", target: "tls-key.pem" },
      ].map((each) => (each.source === each.target ? each.source : each)),
    );
    expect(secrets["tls-layer2-key"]).toEqual({ file: "./certs/layer2.key" });
    expect(services.hub).not.toHaveProperty("secrets");
  });
});

const missing = works("docker", ["stack", "config", "--help"])
  ? undefined
  : "there is no docker stack config";
if (missing !== undefined) console.warn(`The test that docker reads the stack file is skipped: ${missing}.`);

describe.skipIf(missing !== undefined)("docker's own reading of a stack file", () => {
  it.each(["mnist", "two-rings", "paper/conv/conv4-cdni"])("of %s has no complaint", (name) => {
    const path = `configs/${name}.yaml`;
    const { config } = loadConfig(path);
    const input = swarmStack(config, { configPath: path, secretFile: "secret", certs: "certs" });
    const read = parse(execFileSync("docker", ["stack", "config", "-c", "-"], { input, encoding: "utf8" }));
    expect(Object.keys(read.services)).toHaveLength(config.layers.length + 2);
  });

  it("refuses what compose alone has", () => {
    const input = make({}).text.replace("    init: true", "    init: true\n    mem_limit: 512m");
    expect(() => execFileSync("docker", ["stack", "config", "-c", "-"], { input, stdio: "pipe" })).toThrow(
      "forbidden properties",
    );
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what was printed may hold anything; the tests say what it must.
type Tree = any;

function make(request: Partial<DeployRequest> = {}): Tree {
  const { config } = loadConfig(CONFIG);
  const text = swarmStack(config, { configPath: CONFIG, ...request });
  return { text, ...parse(text) };
}

function flags({ command }: Tree, name: string): string[] {
  return command.filter((_: string, at: number) => command[at - 1] === name);
}

function flag(service: Tree, name: string): string | undefined {
  return flags(service, name)[0];
}

function works(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
