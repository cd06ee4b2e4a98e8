import { stringify } from "yaml";
import type { Config } from "../shared/config/config.ts";
import {
  commandOf,
  commented,
  dataPlace,
  dockerDialect,
  escaped,
  healthCheck,
  insideImage,
  secretFiles,
  secretsOf,
} from "./docker.ts";
import { type DeployRequest, environmentOf, PORT, type Worker, workersOf } from "./network.ts";

/**
 * A stack for `docker stack deploy`, of any Swarm that has the image: the engine spreads the workers over the nodes, and
 * starts one elsewhere when its node is lost or drained. Throws an Error when the image would not hold the config.
 */
export function swarmStack(config: Config, request: DeployRequest): string {
  const path = insideImage(request.configPath, "a stack file");
  const data = dataPlace(config);
  const dialect = {
    ...dockerDialect(path, [...(request.set ?? []), ...data.set]),
    hubFlags: ["--host-name", "hub", "--host-name", `\${UNLOCKED_HOST_NAME:-hub}`],
  };
  const workers = workersOf(config, request, dialect);
  const environment = {
    UNLOCKED_CONTROL: `\${UNLOCKED_CONTROL:-}`,
    // The engine fills it in.
    NODE_NAME: "{{.Node.Hostname}}",
    ...environmentOf(request, dialect),
  };
  const secrets = secretFiles(request, workers);
  const stack = {
    version: "3.9",
    services: Object.fromEntries(
      workers.map((worker) => [worker.name, service(worker, request, environment, data.volumes)]),
    ),
    networks: {
      // No way out but to the store, and none in.
      mesh: { driver: "overlay", internal: request.store === undefined },
      // For the hub's port: what is internal publishes none.
      outside: { driver: "overlay" },
    },
    ...(request.store === undefined && {
      volumes: Object.fromEntries(workers.map(({ name }) => [name, {}])),
    }),
    ...(secrets.length > 0 && {
      secrets: Object.fromEntries(secrets.map(([name, file]) => [name, { file: escaped(file) }])),
    }),
  };
  return `${heading(path, request)}\n${stringify(stack, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

function heading(path: string, request: DeployRequest): string {
  const alone = [
    "Without --store a layer's checkpoints stay on the node that it runs on: one that the engine moves finds none.",
  ];
  return commented([
    `The network of ${path}, a service for each worker: docker stack deploy -c stack.yml <name> (see docs/deploy.md).`,
    ...(request.store === undefined ? alone : []),
    "Made from the config, and made again by",
    `  ${commandOf("deploy swarm", path, request)} > stack.yml`,
  ]);
}

function service(
  worker: Worker,
  request: DeployRequest,
  environment: Readonly<Record<string, string>>,
  data: readonly string[],
): object {
  const { name, args, memoryMiB, folder } = worker;
  const secrets = secretsOf(request, worker);
  return {
    image: `\${UNLOCKED_IMAGE:-${request.image ?? "unlocked"}}`,
    command: args,
    environment,
    init: true,
    read_only: true,
    cap_drop: ["ALL"],
    networks: name === "hub" ? ["mesh", "outside"] : ["mesh"],
    ...(name === "hub" && {
      // On the hub's node alone: an address that all nodes share needs more of the kernel than some have.
      ports: [{ target: PORT, published: `\${UNLOCKED_PORT:-${PORT}}`, protocol: "tcp", mode: "host" }],
    }),
    volumes: [
      // With a store a volume ends with its container: a named one stays on its node, and a later run would find it there.
      { type: "volume", ...(request.store === undefined && { source: name }), target: folder },
      { type: "tmpfs", target: "/tmp", tmpfs: { size: 64 * 2 ** 20 } },
      ...data,
    ],
    ...(secrets.length > 0 && { secrets }),
    // More than a checkpoint takes, and the store's acknowledgement.
    stop_grace_period: "20s",
    healthcheck: {
      test: healthCheck(request, worker),
      // The engine gives a worker its name on the network once it is healthy, and looks first when this is over.
      interval: "2s",
      timeout: "5s",
      retries: 5,
      start_period: "30s",
    },
    logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
    deploy: deployment(memoryMiB),
  };
}

function deployment(memoryMiB: number): object {
  return {
    replicas: 1,
    // One address a worker, not one that the kernel would share out among several.
    endpoint_mode: "dnsrr",
    placement: { preferences: [{ spread: "node.id" }] },
    resources: { limits: { memory: `${memoryMiB}M`, pids: 256 } },
    // Who crashed comes back; who finished stays down.
    restart_policy: { condition: "on-failure", delay: "1s" },
    // A worker is one of a kind: the old one leaves, with its checkpoint, before the new one comes.
    update_config: { order: "stop-first", parallelism: 1, failure_action: "rollback" },
    rollback_config: { order: "stop-first", parallelism: 1 },
  };
}
